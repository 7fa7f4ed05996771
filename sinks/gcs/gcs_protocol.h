// How Google Cloud Storage is spoken to: the JSON API, and what its answers mean, error by error. A put is a multipart
// upload that says `ifGenerationMatch=0`, so that it never replaces, and the CRC-32C of its bytes, which the server
// checks before it keeps them; what it answers, and an object that is read whole, are compared too.
// https://cloud.google.com/storage/docs/json_api
#pragma once

#include <memory>
#include <string>

#include "io/clock.h"
#include "sinks/cloud_store.h"
#include "sinks/gcs/gcs_address.h"
#include "sinks/gcs/google_token.h"

namespace drs {

class GcsProtocol final : public CloudProtocol {
 public:
  // `tokens` may serve several protocols; null for an emulator, which takes requests without.
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
  // An error of a download is a line of text: the object's resource says why in JSON.
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
