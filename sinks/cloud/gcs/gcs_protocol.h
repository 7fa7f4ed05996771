// The protocol of Google Cloud Storage: the JSON API, and the meaning of its answers, error by error. A put is a
// multipart upload with `ifGenerationMatch=0`, so it never replaces, and the CRC-32C of its bytes, which the server
// checks before it stores them. The protocol also compares the checksum in the answer, and that of an object that is
// read whole.
// https://cloud.google.com/storage/docs/json_api
#pragma once

#include <memory>
#include <string>

#include "io/base/clock.h"
#include "sinks/cloud/cloud_store.h"
#include "sinks/cloud/gcs/gcs_address.h"
#include "sinks/cloud/gcs/google_token.h"

namespace drs {

class GcsProtocol final : public CloudProtocol {
 public:
  // Several protocols may share `tokens`; null for an emulator, which takes requests without a token.
  GcsProtocol(GcsAddress address, std::shared_ptr<GoogleTokenProvider> tokens, const Clock& clock);

  StoreRequest put(const PutOperation& operation) override;
  StoreRequest get(const ObjectKey& key, std::uint64_t offset_bytes, std::size_t bytes) override;
  StoreRequest stat(const ObjectKey& key) override;
  Result<ObjectInfo> parse_stat(const ObjectKey& key, const HttpTransfer& answer) override;
  StoreRequest remove(const ObjectKey& key) override;
  StoreRequest list(std::string_view prefix, const std::string& continuation) override;
  Result<CloudListPage> parse_list(const HttpTransfer& answer) override;
  [[nodiscard]] std::string name_for_messages() const override { return address_.name_for_messages(); }
  [[nodiscard]] std::string connection() const override;

  Result<Credentials> authorise(const StoreRequest& request, HttpTransfer& transfer) override;
  Judgement judge(const StoreRequest& request, const HttpTransfer& transfer) override;
  Result<void> refresh(const Credentials& refused) override;
  // An error of a download is a line of text. The metadata of the object gives the reason in JSON.
  std::optional<StoreRequest> second_look(const StoreRequest& request) override;
  StoreRequest presence_look(const StoreRequest& get) override { return *second_look(get); }

 private:
  [[nodiscard]] Judgement judge_success(const StoreRequest& request, const HttpTransfer& transfer) const;
  [[nodiscard]] Judgement judge_absence(const StoreRequest& request, const HttpTransfer& transfer,
                                        const std::string& answered) const;
  [[nodiscard]] Error missing_permission(const StoreRequest& request) const;

  const GcsAddress address_;
  const std::shared_ptr<GoogleTokenProvider> tokens_;
  std::shared_ptr<const GoogleToken> used_;  // for the last request
  const Clock& clock_;
};

}  // namespace drs
