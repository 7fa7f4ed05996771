// Checks the protocol of keeping and deletion on a model of it: tests/model/README.md.
//
//   prune_model check [NAME]     searches the scenarios: no violation may be found
//   prune_model mutants [NAME]   removes each rule alone: a violation must be found
//   prune_model walk             random walks with many actors
//   prune_model trace NAME       prints the shortest way to the violation of a mutant, or a scenario
//
//   --states N      bound of the states of one search       --seconds N   of the processor, for each search
//   --part I/N      the Ith of N parts                      --seed N      of random walks
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/model/catalog.h"
#include "tests/model/search.h"

namespace drs::model {
namespace {

struct Options {
  std::string command;
  std::string name;
  Limits limits;
  std::uint64_t part = 1, parts = 1, seed = 1;
  [[nodiscard]] bool includes(std::size_t number, const std::string& called) const {
    return number % parts == part - 1 && (name.empty() || name == called);
  }
};

void print_trace(const std::vector<std::string>& trace) {
  for (const std::string& line : trace) std::printf("    %s\n", line.c_str());
}

void print(const std::string& name, const Outcome& outcome) {
  std::printf("%-32s %10llu states %6.1f s  %s\n", name.c_str(), static_cast<unsigned long long>(outcome.states),
              outcome.seconds,
              outcome.violation != nullptr ? outcome.violation
              : outcome.complete           ? "complete"
                                           : "bound reached");
  std::fflush(stdout);
}

int check(const Options& options) {
  int found = 0;
  for (std::size_t i = 0; i < scenarios().size(); ++i) {
    const Scenario& scenario = scenarios()[i];
    if (!options.includes(i, scenario.name)) continue;
    const Outcome outcome = search({{}, scenario}, options.limits);
    print(scenario.name, outcome);
    print_trace(outcome.trace);
    if (outcome.violation != nullptr) ++found;
  }
  return found == 0 ? 0 : 1;
}

Outcome search_mutant(const Mutant& mutant, const Options& options, std::string& where) {
  Outcome outcome;
  for (const std::string& name : mutant.scenarios) {
    where = name;
    outcome = search(mutated(mutant, *find_scenario(name)), options.limits);
    if (outcome.violation != nullptr) break;
  }
  return outcome;
}

int try_mutants(const Options& options) {
  int missed = 0;
  for (std::size_t i = 0; i < mutants().size(); ++i) {
    const Mutant& mutant = mutants()[i];
    if (!options.includes(i, mutant.name)) continue;
    std::string where;
    const Outcome outcome = search_mutant(mutant, options, where);
    const bool as_expected = (outcome.violation != nullptr) == mutant.expected;
    print(mutant.name + " [" + where + "]", outcome);
    if (!as_expected) std::printf("    NOT AS EXPECTED\n");
    if (!as_expected) ++missed;
  }
  return missed == 0 ? 0 : 1;
}

int walk_all(const Options& options) {
  int found = 0;
  const std::vector<Scenario> all = walk_scenarios();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!options.includes(i, all[i].name)) continue;
    const WalkOutcome outcome =
        walk({{}, all[i]}, {.seconds = options.limits.seconds, .walks = ~0ULL, .seed = options.seed});
    std::printf("%-32s %10llu walks, %llu steps  %s\n", all[i].name.c_str(),
                static_cast<unsigned long long>(outcome.walks), static_cast<unsigned long long>(outcome.steps),
                outcome.violation != nullptr ? outcome.violation : "no violation");
    if (outcome.violation != nullptr) print_trace(outcome.trace);
    if (outcome.violation != nullptr) ++found;
    std::fflush(stdout);
  }
  return found == 0 ? 0 : 1;
}

int trace(const Options& options) {
  std::string where = options.name;
  Outcome outcome;
  if (const Mutant* const mutant = find_mutant(options.name))
    outcome = search_mutant(*mutant, options, where);
  else if (const Scenario* const scenario = find_scenario(options.name))
    outcome = search({{}, *scenario}, options.limits);
  else
    return std::fprintf(stderr, "there is no mutant and no scenario %s\n", options.name.c_str()), 2;
  print(options.name + " [" + where + "]", outcome);
  print_trace(outcome.trace);
  return 0;
}

int usage() {
  std::fprintf(stderr, "usage: prune_model check|mutants|walk|trace [NAME] [--states N] [--seconds N] [--part I/N]\n");
  return 2;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("--", 0) != 0) {
      (options.command.empty() ? options.command : options.name) = argument;
      continue;
    }
    if (++i == argc) return false;
    if (argument == "--states")
      options.limits.states = std::strtoull(argv[i], nullptr, 10);
    else if (argument == "--seconds")
      options.limits.seconds = std::strtod(argv[i], nullptr);
    else if (argument == "--seed")
      options.seed = std::strtoull(argv[i], nullptr, 10);
    else if (argument != "--part" || std::sscanf(argv[i], "%lu/%lu", &options.part, &options.parts) != 2)
      return false;
  }
  return options.part >= 1 && options.part <= options.parts;
}

int run(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) return usage();
  if (options.command == "check") return check(options);
  if (options.command == "mutants") return try_mutants(options);
  if (options.command == "walk") return walk_all(options);
  if (options.command == "trace" && !options.name.empty()) return trace(options);
  return usage();
}

}  // namespace
}  // namespace drs::model

int main(int argc, char** argv) {
  return drs::model::run(argc, argv);
}
