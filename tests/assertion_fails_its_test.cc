// Replaces drs::assert_failed in every test program (ld's --wrap): a failed assertion, such as error() of a Result that
// holds a value, fails only its own test, and later tests still run. Death tests see the real function's abort.
#include <gtest/gtest.h>

#include <source_location>
#include <stdexcept>
#include <string>

#define DRS_ASSERT_FAILED "_ZN3drs13assert_failedEPKcS1_St15source_location"

namespace drs::test {

[[noreturn]] void real_assert_failed(const char* expression, const char* text,
                                     std::source_location where) __asm__("__real_" DRS_ASSERT_FAILED);
[[noreturn]] void assert_failed_in_a_test(const char* expression, const char* text,
                                          std::source_location where) __asm__("__wrap_" DRS_ASSERT_FAILED);

void assert_failed_in_a_test(const char* expression, const char* text, std::source_location where) {
  if (testing::internal::InDeathTestChild()) real_assert_failed(expression, text, where);
  // On another thread or in a destructor the exception terminates the program, like the real function.
  throw std::logic_error(std::string(where.file_name()) + ":" + std::to_string(where.line()) + ": " + text + " (" +
                         expression + ")");
}

}  // namespace drs::test
