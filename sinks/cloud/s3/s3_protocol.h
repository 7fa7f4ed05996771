// The protocol of S3: requests signed with Signature Version 4, and the meaning of the answers, error by error. A put
// sends `If-None-Match: *`, so it never replaces, and the SHA-256 of its bytes, which the server checks before it
// stores them. If a server refuses the checksum header, it gets Content-MD5 instead; a lock and a removal of several
// objects require one of the two.
//
// An answer is S3's if it looks like it: an error with its XML, a put or a HEAD with an ETag. What does not comes from
// something in between, or from a server that is no S3: it says nothing about what is stored.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/clock.h"
#include "sinks/cloud/cloud_store.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/cloud/s3/s3_address.h"
#include "sinks/cloud/s3/s3_put_options.h"
#include "sinks/cloud/s3/sigv4.h"

namespace drs {

struct S3ProtocolOptions {
  // The server has no `If-None-Match`: puts replace, and the operator has to exclude other writers (--single-writer).
  bool single_writer = false;
  S3PutOptions put = {};
};

// In a put: the SHA-256 of its bytes in Base64. In an answer: that of the stored bytes.
inline constexpr std::string_view kS3ChecksumHeader = "x-amz-checksum-sha256";

// Whether an error of S3 says that the same request may succeed later.
bool s3_error_passes(std::string_view code);

// What the answers of a server have shown about it. Any thread.
struct S3ServerTraits {
  std::atomic<bool> refuses_checksums{false};  // the header x-amz-checksum-sha256
  std::atomic<bool> encrypts{false};           // has carried out a put with server-side encryption
};

class S3Protocol final : public CloudProtocol {
 public:
  // Several protocols may share `credentials` and `server`. `server` null: the protocol has its own.
  S3Protocol(S3Address address, std::shared_ptr<AwsCredentialsProvider> credentials, const Clock& clock,
             S3ProtocolOptions options, std::shared_ptr<S3ServerTraits> server = nullptr);

  StoreRequest put(const PutOperation& operation) override;
  [[nodiscard]] bool shows_stored(const StoreRequest& put, const HttpTransfer& answer) const override;
  StoreRequest get(const ObjectKey& key, std::uint64_t offset_bytes, std::size_t bytes) override;
  StoreRequest stat(const ObjectKey& key) override;
  Result<ObjectInfo> parse_stat(const ObjectKey& key, const HttpTransfer& answer) override;
  StoreRequest remove(const ObjectKey& key) override;
  [[nodiscard]] std::size_t remove_keys_max() const override;
  StoreRequest remove_several(std::span<const ObjectKey> keys) override;
  Result<void> parse_remove_several(const HttpTransfer& answer) override;
  StoreRequest list(std::string_view prefix, const std::string& continuation) override;
  Result<CloudListPage> parse_list(const HttpTransfer& answer) override;
  [[nodiscard]] bool locks() const override { return options_.put.lock.has_value(); }
  [[nodiscard]] bool locked_long_enough(const HttpTransfer& stat_answer) const override;
  StoreRequest lock(const ObjectKey& key) override;
  // Asks for the settings "versioning" or "object-lock" of the bucket (s3_xml.h parses the answers).
  [[nodiscard]] StoreRequest bucket_setting(std::string_view name) const;
  [[nodiscard]] std::string name_for_messages() const override { return address_.name_for_messages(); }
  [[nodiscard]] std::string connection() const override;

  Result<Credentials> authorise(const StoreRequest& request, HttpTransfer& transfer) override;
  Judgement judge(const StoreRequest& request, const HttpTransfer& transfer) override;
  Result<void> refresh(const Credentials& refused) override;
  // An answer to HEAD has no body, so a GET of the first byte asks for the reason.
  std::optional<StoreRequest> second_look(const StoreRequest& request) override;
  [[nodiscard]] const S3ServerTraits& server() const { return *server_; }

 private:
  [[nodiscard]] StoreRequest to_object(const char* method, const ObjectKey& key) const;
  [[nodiscard]] Judgement judge_success(const StoreRequest& request, const HttpTransfer& transfer) const;
  [[nodiscard]] Judgement judge_absence(const StoreRequest& request, const HttpTransfer& transfer,
                                        const std::string& code) const;
  [[nodiscard]] Judgement judge_failure(const StoreRequest& request, const HttpTransfer& transfer,
                                        const std::string& code) const;
  [[nodiscard]] Judgement judge_refusal(const StoreRequest& request, const HttpTransfer& transfer,
                                        const std::string& code) const;
  [[nodiscard]] std::string encryption_advice() const;
  [[nodiscard]] std::string skew_advice(const HttpTransfer& transfer) const;
  [[nodiscard]] Error explain(const HttpTransfer& transfer, ErrorCode code, const std::string& advice) const;

  const S3Address address_;
  const std::shared_ptr<AwsCredentialsProvider> credentials_;
  const Clock& clock_;
  const S3ProtocolOptions options_;
  const std::shared_ptr<S3ServerTraits> server_;
  SigV4Signer signer_;
};

}  // namespace drs
