#include "sinks/cloud/s3/s3_xml.h"

#include <gtest/gtest.h>

#include "sinks/transport/iso_time.h"

namespace drs {
namespace {

std::string list_with(std::string_view inner) {
  return R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix/>)" +
         std::string(inner) + "</ListBucketResult>";
}

constexpr std::string_view kEntry =
    "<Contents><Key>a</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>"
    "<ETag>&quot;70ee1738b6b21e2c8a43f3a5ab0eee71&quot;</ETag><Size>11</Size><StorageClass>STANDARD</StorageClass>"
    "</Contents>";

Result<S3ListPage> parsed_list(std::string_view inner) {
  return parse_list_objects(as_bytes(list_with(inner)));
}

void expect_unavailable(std::string_view inner, std::string_view text) {
  const Result<S3ListPage> page = parsed_list(inner);
  ASSERT_FALSE(page.ok()) << inner;
  EXPECT_EQ(page.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(page.error().message.find(text), std::string::npos) << page.error().message;
}

TEST(S3ListParser, ReadsKeysSizesAndTimes) {
  const Result<S3ListPage> page =
      parsed_list("<IsTruncated>false</IsTruncated>" + std::string(kEntry) +
                  "<Contents><Key>b &amp; c</Key><Size>18446744073709551615</Size></Contents>");
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_FALSE(page->truncated);
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].key, "a");
  EXPECT_EQ(page->objects[0].size_bytes, 11U);
  EXPECT_EQ(page->objects[0].modified_ns, *parse_iso_time("2009-10-12T17:50:30Z"));
  EXPECT_EQ(page->objects[0].storage_class, "STANDARD");
  EXPECT_EQ(page->objects[1].key, "b & c");
  EXPECT_EQ(page->objects[1].size_bytes, UINT64_MAX);
  EXPECT_EQ(page->objects[1].modified_ns, 0);
  EXPECT_EQ(page->objects[1].storage_class, "");
}

TEST(S3ListParser, DecodesKeysWhereTheAnswerSaysTheyAreEncoded) {
  constexpr std::string_view kContents = "<Contents><Key>a+b%2Bc%2Fd%0A</Key><Size>1</Size></Contents>";
  const std::string inner = "<IsTruncated>false</IsTruncated>" + std::string(kContents);
  EXPECT_EQ(parsed_list("<EncodingType>url</EncodingType>" + inner)->objects.at(0).key, "a b+c/d\n");
  EXPECT_EQ(parsed_list(inner)->objects.at(0).key, "a+b%2Bc%2Fd%0A");
}

TEST(S3ListParser, KeepsKeysOfSpacesAndPiecesOfText) {
  const Result<S3ListPage> page = parsed_list(
      "<IsTruncated>false</IsTruncated><Contents><Key> </Key><Size>1</Size></Contents>"
      "<Contents><Key>a<![CDATA[<b>]]>c<!-- no -->d</Key><Size>1</Size></Contents>");
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->objects.at(0).key, " ");
  EXPECT_EQ(page->objects.at(1).key, "a<b>cd");
}

TEST(S3ListParser, GoesOnWhereTheListIsTruncated) {
  const Result<S3ListPage> page = parsed_list(
      "<IsTruncated>true</IsTruncated><NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM="
      "</NextContinuationToken>" +
      std::string(kEntry));
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(page->truncated);
  EXPECT_EQ(page->continuation_token, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
}

TEST(S3ListParser, AnEmptyBucketIsAnEmptyList) {
  const Result<S3ListPage> page = parsed_list("<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated>");
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(page->objects.empty());
}

TEST(S3ListParser, RefusesAListThatMayNotBeAll) {
  expect_unavailable(kEntry, "whether it is all");
  expect_unavailable("<IsTruncated>maybe</IsTruncated>", "whether it is all");
  expect_unavailable("<IsTruncated>true</IsTruncated>", "where");
  expect_unavailable("<IsTruncated>true</IsTruncated><NextContinuationToken/>", "where");
}

TEST(S3ListParser, RefusesEntriesThatCannotBeReliedOn) {
  const std::string head = "<IsTruncated>false</IsTruncated>";
  const std::string url = "<EncodingType>url</EncodingType>";
  expect_unavailable(head + "<Contents><Size>1</Size></Contents>", "key");
  expect_unavailable(head + "<Contents><Key/><Size>1</Size></Contents>", "key");
  expect_unavailable(head + "<Contents><Key><b>a</b></Key><Size>1</Size></Contents>", "key");
  expect_unavailable(head + url + "<Contents><Key>a%2</Key><Size>1</Size></Contents>", "key");
  for (const char* size : {"", "-1", "1.5", "0x1", " 1", "18446744073709551616"})
    expect_unavailable(head + "<Contents><Key>a</Key><Size>" + size + "</Size></Contents>", "size");
  expect_unavailable(head + "<Contents><Key>a</Key><Size>1</Size><LastModified>today</LastModified></Contents>",
                     "time");
  expect_unavailable(head + "<EncodingType>base64</EncodingType>", "encoding");
}

TEST(S3ListParser, EveryAnswerThatIsCutShortIsRefused) {
  const std::string whole = list_with("<IsTruncated>false</IsTruncated>" + std::string(kEntry));
  ASSERT_TRUE(parse_list_objects(as_bytes(whole)).ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Result<S3ListPage> page = parse_list_objects(as_bytes(std::string_view(whole).substr(0, size)));
    ASSERT_FALSE(page.ok()) << size;
    EXPECT_EQ(page.error().code, ErrorCode::kUnavailable);
  }
}

TEST(S3ListParser, AnErrorInAnAnswerThatPromisedAListIsNamed) {
  const Result<S3ListPage> page =
      parse_list_objects(as_bytes("<Error><Code>InternalError</Code><Message>Please try again.</Message></Error>"));
  ASSERT_FALSE(page.ok());
  EXPECT_NE(page.error().message.find("InternalError: Please try again."), std::string::npos);
  EXPECT_FALSE(parse_list_objects(as_bytes("<html><body>Welcome</body></html>")).ok());
}

// Amazon S3 API Reference, "Error responses", example of a response.
TEST(S3ErrorParser, ReadsWhatS3Says) {
  const Result<S3ErrorBody> error = parse_s3_error(as_bytes(R"(<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>NoSuchKey</Code>
  <Message>The resource you requested does not exist</Message>
  <Resource>/mybucket/myfoto.jpg</Resource>
  <RequestId>4442587FB7D0A2F9</RequestId>
</Error>)"));
  ASSERT_TRUE(error.ok());
  EXPECT_EQ(error->code, "NoSuchKey");
  EXPECT_EQ(error->message, "The resource you requested does not exist");
  EXPECT_EQ(error->resource, "/mybucket/myfoto.jpg");
  EXPECT_EQ(error->request_id, "4442587FB7D0A2F9");
  EXPECT_EQ(error->region, "");
}

TEST(S3ErrorParser, ReadsTheRegionThatShouldHaveBeenAsked) {
  const auto region = [](std::string_view inner) {
    const Result<S3ErrorBody> error =
        parse_s3_error(as_bytes("<Error><Code>AuthorizationHeaderMalformed</Code>" + std::string(inner) +
                                "<Endpoint>b.s3.x</Endpoint></Error>"));
    EXPECT_EQ(error->endpoint, "b.s3.x");
    return error->region;
  };
  EXPECT_EQ(region("<Region>eu-west-1</Region>"), "eu-west-1");
  EXPECT_EQ(region("<ExpectedRegion>eu-west-2</ExpectedRegion>"), "eu-west-2");
  EXPECT_EQ(region("<Region>evil.example/</Region>"), "");
}

TEST(S3ErrorParser, ReadsWhatStsSays) {
  const Result<S3ErrorBody> error = parse_s3_error(as_bytes(
      R"(<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>ExpiredToken)"
      R"(Exception</Code><Message>Token expired</Message></Error><RequestId>c6104cbe</RequestId></ErrorResponse>)"));
  ASSERT_TRUE(error.ok());
  EXPECT_EQ(error->code, "ExpiredTokenException");
  EXPECT_EQ(error->message, "Token expired");
  EXPECT_EQ(error->request_id, "c6104cbe");
}

TEST(S3ErrorParser, TextIsFitForATerminal) {
  const Result<S3ErrorBody> error = parse_s3_error(as_bytes(
      "<Error><Code>A\x1B[31m</Code><Message>line\n\n  two &#x7;" + std::string(1000, 'x') + "</Message></Error>"));
  ASSERT_TRUE(error.ok());
  EXPECT_EQ(error->code, "A?[31m");
  EXPECT_TRUE(error->message.starts_with("line two ?xxx")) << error->message;
  EXPECT_TRUE(error->message.ends_with("xxx..."));
  EXPECT_LE(error->message.size(), 500U);
}

TEST(S3ErrorParser, RefusesWhatIsNoError) {
  for (std::string_view body : {"", "Bad Gateway", "<html><h1>502</h1></html>", "<Error/>", "<Error><Code/></Error>",
                                "<Error><Code>A</Code>"}) {
    const Result<S3ErrorBody> error = parse_s3_error(as_bytes(body));
    ASSERT_FALSE(error.ok()) << body;
    EXPECT_EQ(error.error().code, ErrorCode::kUnavailable);
  }
}

TEST(S3DeleteBody, NamesEachKeyEscaped) {
  EXPECT_EQ(delete_objects_body(std::vector<std::string>{"a/b", "<&>\"'"}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Object><Key>a/b</Key></Object><Object><Key>&lt;&amp;&gt;&quot;&apos;</Key></Object></Delete>");
}

TEST(S3DeleteBodyDeathTest, ABatchIsNeitherEmptyNorLargerThanS3Takes) {
  EXPECT_FALSE(delete_objects_body(std::vector<std::string>(kS3DeleteKeysMax, "a")).empty());
  EXPECT_DEATH(static_cast<void>(delete_objects_body(std::vector<std::string>())), "deletion");
  EXPECT_DEATH(static_cast<void>(delete_objects_body(std::vector<std::string>(kS3DeleteKeysMax + 1, "a"))), "deletion");
}

TEST(S3DeleteParser, TellsWhatWentAndWhatDidNot) {
  const Result<S3DeleteResult> result = parse_delete_result(
      as_bytes(R"(<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Deleted><Key>a</Key></Deleted><Error>)"
               R"(<Key>b</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>)"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->deleted, std::vector<std::string>{"a"});
  ASSERT_EQ(result->failed.size(), 1U);
  EXPECT_EQ(result->failed[0].key, "b");
  EXPECT_EQ(result->failed[0].code, "AccessDenied");
  EXPECT_EQ(result->failed[0].message, "Access Denied");
}

TEST(S3DeleteParser, RefusesWhatItCannotAttributeToAKey) {
  for (std::string_view body :
       {"", "<DeleteResult>", "<DeleteResult><Deleted/></DeleteResult>",
        "<DeleteResult><Error><Code>A</Code></Error></DeleteResult>", "<Error><Code>MalformedXML</Code></Error>"}) {
    const Result<S3DeleteResult> result = parse_delete_result(as_bytes(body));
    ASSERT_FALSE(result.ok()) << body;
    EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
  }
}

TEST(BucketSettings, TellWhetherVersionsAreKept) {
  const auto versioning = [](std::string_view inside) {
    return parse_versioning(as_bytes("<VersioningConfiguration>" + std::string(inside) + "</VersioningConfiguration>"));
  };
  EXPECT_TRUE(*versioning("<Status>Enabled</Status>"));
  EXPECT_FALSE(*versioning("<Status>Suspended</Status>"));
  EXPECT_FALSE(*versioning(""));
  EXPECT_EQ(parse_versioning(as_bytes("<html/>")).error().code, ErrorCode::kUnavailable);
}

TEST(BucketSettings, TellHowObjectsAreLocked) {
  const auto lock = [](std::string_view inside) {
    return parse_object_lock(
        as_bytes("<ObjectLockConfiguration>" + std::string(inside) + "</ObjectLockConfiguration>"));
  };
  EXPECT_FALSE(lock("")->enabled);
  const auto without = lock("<ObjectLockEnabled>Enabled</ObjectLockEnabled>");
  EXPECT_TRUE(without->enabled);
  EXPECT_EQ(without->default_period, "");
  const auto with = lock(
      "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Years>7</Years>"
      "</DefaultRetention></Rule>");
  EXPECT_EQ(with->default_period, "COMPLIANCE 7 years");
  EXPECT_EQ(parse_object_lock(as_bytes("")).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace drs
