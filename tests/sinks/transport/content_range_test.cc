#include "sinks/transport/content_range.h"

#include <gtest/gtest.h>

#include <vector>

namespace drs {
namespace {

HttpTransfer answer(const std::string& range, std::size_t received_bytes, int status = 206) {
  HttpTransfer out;
  out.status = status;
  out.received_bytes = received_bytes;
  out.answer_headers = {{"content-range", range}};
  return out;
}

TEST(ContentRange, IsReadWholeOrNotAtAll) {
  const auto read = content_range(answer("bytes 5-9/4096", 5));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->begin_bytes, 5U);
  EXPECT_EQ(read->object_bytes, 4096U);
  for (const char* text : {"", "bytes", "bytes */4096", "bytes 5-9/*", "items 5-9/10", "bytes 5-9", "bytes x-9/10",
                           "bytes 5-9/99999999999999999999"})
    EXPECT_FALSE(content_range(answer(text, 5)).has_value()) << text;
}

TEST(ContentRange, MustBeWhatWasAskedFor) {
  EXPECT_TRUE(check_range(answer("bytes 5-9/4096", 5), 5, 5).ok());
  EXPECT_TRUE(check_range(answer("bytes 5-9/10", 5), 5, 100).ok());  // the object ends there
  for (const HttpTransfer& wrong : {answer("bytes 4-8/4096", 5), answer("bytes 5-9/4096", 4), answer("bytes 5-9/5", 0),
                                    answer("bytes 5-9/4096", 5, 200), answer("", 5)}) {
    const auto checked = check_range(wrong, 5, 5);
    ASSERT_FALSE(checked.ok());
    EXPECT_EQ(checked.error().code, ErrorCode::kUnavailable);
  }
}

HttpTransfer whole(std::size_t received_bytes, std::vector<HttpHeader> headers) {
  HttpTransfer out;
  out.status = 200;
  out.received_bytes = received_bytes;
  out.answer_headers = std::move(headers);
  return out;
}

TEST(ContentRange, MayBeTakenOutOfTheWholeObjectButNotOutOfAPage) {
  const HttpHeader etag{"etag", "\"e\""};
  const HttpHeader length{"content-length", "10"};
  EXPECT_TRUE(check_range(whole(3, {etag, length}), 5, 3).ok());
  EXPECT_TRUE(check_range(whole(5, {etag, length}), 5, 100).ok());
  EXPECT_TRUE(check_range(whole(0, {etag, length}), 12, 100).ok());  // the object ends before
  EXPECT_EQ(object_bytes(whole(3, {etag, length})), 10U);
  for (const HttpTransfer& wrong : {whole(2, {etag, length}), whole(3, {length}), whole(3, {etag}),
                                    whole(3, {etag, length, {"content-type", "text/html; charset=utf-8"}}),
                                    whole(3, {etag, length, {"content-encoding", "gzip"}})})
    EXPECT_FALSE(check_range(wrong, 5, 3).ok());
}

}  // namespace
}  // namespace drs
