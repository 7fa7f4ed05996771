// Result<T>: how every function here reports failure. Our code does not throw; see CONTRIBUTING.md.
//
// An Error has a `code` that a caller can act on, the errno if there is one, and a text for the operator: what
// happened, to which object, expected and got. Layers above add context with `with_context`, so a message reads from
// the outside in. A bug in our own code fails a DRS_ASSERT, which is on in every build.
#pragma once

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace drs {

// The kind of failure. tools/output/exit_code.h maps each to one frozen exit code (docs/OPERATIONS.md, "Exit codes").
enum class ErrorCode : std::uint8_t {
  kInternal,       // a bug, or this machine computes wrongly
  kUsage,          // an invalid or impossible request; the text says what is accepted
  kSource,         // the source of the plaintext failed or ended early
  kCorrupt,        // stored bytes differ from what was written
  kTruncated,      // stored bytes end early: a kind of damage
  kIo,             // a file operation failed; see error_number
  kNoSpace,        // ENOSPC, EDQUOT or EFBIG at the destination
  kDenied,         // EACCES, EPERM or EROFS; retrying cannot help
  kUnavailable,    // the outcome is unknown or the service did not answer; the same call may be repeated
  kNotFound,       // no such object or file
  kAlreadyExists,  // create-if-absent found the name taken; nothing was changed
  kConflict,       // another session fenced or overtook this one
  kNoRepository,   // the location holds no repository
  kBusy,           // another process or session holds the resource, or the machine has run out of it
  kWrongKey,       // no key, or not this repository's key
  kRollback,       // something seen before is missing or older
  kFormatTooNew,   // written by a newer drstream
  kSinkClosed,     // the reader of our output closed it, or the consumer failed
  kCancelled,      // stopped by a signal
  kUnsettled,      // a commit was written, but it is unknown whether it will last: do not rely on it
  kLimitMissed,    // a limit set by the operator was missed (a push's gates): nothing was committed
  kNoSnapshot,     // the named stream or snapshot does not exist
};
inline constexpr ErrorCode kLastErrorCode = ErrorCode::kNoSnapshot;

// The name of a code in messages and JSON: "corrupt", "no-space", ...
std::string_view error_code_name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  int error_number = 0;  // errno, or 0

  Error(ErrorCode c, std::string text, int number = 0) : code(c), message(std::move(text)), error_number(number) {}

  // Puts "context: " before the message.
  Error with_context(std::string_view context) &&;
  Error with_context(std::string_view context) const&;
};

// Makes an Error with the code that the errno maps to (ENOSPC -> kNoSpace, ENOENT -> kNotFound, ...; otherwise kIo) and
// the text "what: strerror".
Error error_from_errno(int number, std::string_view what);

[[noreturn]] void assert_failed(const char* expression, const char* text, std::source_location where);

#define DRS_ASSERT(condition, text)                                            \
  do {                                                                         \
    if (!(condition)) [[unlikely]]                                             \
      ::drs::assert_failed(#condition, text, std::source_location::current()); \
  } while (false)

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return const_cast<Result*>(this)->checked(); }
  T&& operator*() && { return std::move(checked()); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &const_cast<Result*>(this)->checked(); }

  const Error& error() const& {
    DRS_ASSERT(!ok(), "error() of a Result that holds a value");
    return std::get<1>(state_);
  }
  Error&& error() && {
    DRS_ASSERT(!ok(), "error() of a Result that holds a value");
    return std::get<1>(std::move(state_));
  }

 private:
  T& checked() {
    DRS_ASSERT(ok(), "value() of a Result that holds an error");
    return std::get<0>(state_);
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  [[nodiscard]] bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const Error& error() const& {
    DRS_ASSERT(!ok(), "error() of a Result that holds a value");
    return *error_;
  }
  Error&& error() && {
    DRS_ASSERT(!ok(), "error() of a Result that holds a value");
    return *std::move(error_);
  }

 private:
  std::optional<Error> error_;
};

#define DRS_CONCAT_INNER(a, b) a##b
#define DRS_CONCAT(a, b) DRS_CONCAT_INNER(a, b)

// Returns the error of `expression` (a Result) from the calling function, if it holds one.
#define DRS_RETURN_IF_ERROR(expression)                                \
  do {                                                                 \
    if (auto drs_result = (expression); !drs_result.ok()) [[unlikely]] \
      return std::move(drs_result).error();                            \
  } while (false)

// DRS_ASSIGN_OR_RETURN(auto value, expression): declares `value` from the Result, or returns its error.
#define DRS_ASSIGN_OR_RETURN(declaration, expression) \
  DRS_ASSIGN_OR_RETURN_INNER(DRS_CONCAT(drs_result_, __LINE__), declaration, expression)
#define DRS_ASSIGN_OR_RETURN_INNER(name, declaration, expression) \
  auto name = (expression);                                       \
  if (!name.ok()) [[unlikely]]                                    \
    return std::move(name).error();                               \
  declaration = *std::move(name)

}  // namespace drs
