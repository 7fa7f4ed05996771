// Linked into every test program in place of drs::assert_failed (ld's --wrap): an assertion that fails, such as error()
// of a Result that holds a value, fails the test it stands in, and the tests behind it still run. Death tests see the
// abort of the real one.
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
  // Where nothing may be thrown, on another thread or in a destructor, this ends the program as the real one does.
  throw std::logic_error(std::string(where.file_name()) + ":" + std::to_string(where.line()) + ": " + text + " (" +
                         expression + ")");
}

}  // namespace drs::test
