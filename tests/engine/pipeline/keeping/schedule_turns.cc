#include "tests/engine/pipeline/keeping/schedule_turns.h"

#include <algorithm>

#include "io/base/result.h"

namespace drs::test {
namespace {

// Beyond this many, an actor lists again and again.
constexpr std::size_t kStepsMax = 100'000;

bool changes(const Step& step) {
  return step.operation == "put" || step.operation == "remove";
}

}  // namespace

bool Step::conflicts_with(const Step& other) const {
  if (!changes(*this) && !changes(other)) return false;
  if (operation == "list") return other.key.starts_with(key);
  if (other.operation == "list") return key.starts_with(other.key);
  return key == other.key;
}

Turns::Turns(Schedule& schedule, std::size_t actors, std::size_t first, PassTime pass_time)
    : schedule_(schedule), pass_time_(std::move(pass_time)), stopped_(actors), disturbed_(actors), holder_(first) {
  for (std::size_t actor = 0; actor < actors; ++actor) live_.push_back(actor);
}

void Turns::wait_for(std::unique_lock<std::mutex>& lock, std::size_t actor) {
  changed_.wait(lock, [&] { return stopped_[actor] || (holder_ == actor && !busy_); });
}

Fault Turns::take(Step step, const std::function<void()>& effect, const std::function<void()>& late) {
  std::unique_lock lock(mutex_);
  wait_for(lock, step.actor);
  if (stopped_[step.actor]) return Fault::kStop;
  DRS_ASSERT(trace_.size() < kStepsMax, "an actor of a schedule ends");
  const Decision decision = schedule_.decide(step, live_);
  if (decision.passes.count() != 0) pass_time_(decision.passes);
  step.fault = decision.fault;
  if (decision.fault != Fault::kNone) disturbed_[step.actor] = true;
  if (decision.fault == Fault::kStop) {
    trace_.push_back(step);
    stopped_[step.actor] = true;
    leave(step.actor);
    if (decision.next && std::ranges::count(live_, *decision.next) != 0) holder_ = *decision.next;
    return Fault::kStop;
  }
  if (decision.next && *decision.next != step.actor && std::ranges::count(live_, *decision.next) != 0) {
    holder_ = *decision.next;
    changed_.notify_all();
    wait_for(lock, step.actor);
    if (stopped_[step.actor]) return Fault::kStop;
  }
  run_due();
  trace_.push_back(step);
  if (decision.fault == Fault::kLate) {
    const std::size_t delay = schedule_.delay();
    late_.push_back({delay == 0 ? kStepsMax : trace_.size() + delay, late});
    if (step.operation != "remove") return Fault::kLate;
  }
  busy_ = true;
  pass_time_(std::chrono::seconds(1));
  lock.unlock();
  effect();
  lock.lock();
  busy_ = false;
  changed_.notify_all();
  return decision.fault;
}

void Turns::run_due() {
  for (std::size_t i = 0; i < late_.size();) {
    if (late_[i].due > trace_.size()) {
      ++i;
      continue;
    }
    const auto effect = std::move(late_[i].effect);
    late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(i));
    effect();
  }
}

void Turns::leave(std::size_t actor) {
  std::erase(live_, actor);
  if (holder_ == actor && !live_.empty()) holder_ = schedule_.after_end(live_);
  changed_.notify_all();
}

void Turns::end(std::size_t actor) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::count(live_, actor) != 0) leave(actor);
}

void Turns::run_late() {
  const std::lock_guard lock(mutex_);
  for (const Late& late : late_) late.effect();
  late_.clear();
}

bool Turns::is_disturbed(std::size_t actor) const {
  const std::lock_guard lock(mutex_);
  return disturbed_[actor];
}

std::string ObjectLetters::name(const std::string& key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string::npos || slash + 1 == key.size()) return key;
  auto [found, is_new] = names_.try_emplace(key);
  if (is_new) {
    const std::string kind = key.substr(0, slash);
    const int number = counts_[kind]++;
    found->second = kind + " " + static_cast<char>('A' + number % 26);
    if (number >= 26) found->second += std::to_string(number / 26);
  }
  return found->second;
}

}  // namespace drs::test
