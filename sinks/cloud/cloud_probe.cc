#include "sinks/cloud/cloud_probe.h"

#include <utility>

namespace drs {

Result<std::unique_ptr<CloudProbe>> CloudProbe::make(std::unique_ptr<CloudProtocol> protocol,
                                                     const HttpClientOptions& options) {
  DRS_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client, HttpClient::make(options));
  return std::unique_ptr<CloudProbe>(new CloudProbe(std::move(protocol), std::move(client)));
}

CloudProbe::Answer CloudProbe::ask(StoreRequest request, RequestKind kind, std::string what) {
  request.kind = kind;
  request.what = std::move(what);
  Answer answer;
  bool redirected = false;
  for (bool repeated = false;;) {
    HttpTransfer& transfer = answer.transfer;
    transfer = transfer_of(request);
    transfer.wants_tls = true;
    if (auto authorised = protocol_->authorise(request, transfer); !authorised.ok()) {
      answer.result = std::move(authorised).error();
      return answer;
    }
    const auto started = std::chrono::steady_clock::now();
    client_->perform(transfer);
    answer.took = std::chrono::steady_clock::now() - started;
    transfer.body.clear();  // borrowed from the request
    if (transfer.error) {
      answer.result = transfer.error->with_context(request.what);
      return answer;
    }
    const Judgement judgement = protocol_->judge(request, transfer);
    if (judgement.kind == Judgement::Kind::kRedirect && !std::exchange(redirected, true)) {
      request.redirect_url = judgement.url;
      continue;
    }
    // The protocol can make a better request now.
    if (judgement.kind == Judgement::Kind::kOnceMore && judgement.error && !std::exchange(repeated, true)) continue;
    if (judgement.error) answer.result = judgement.error->with_context(request.what);
    return answer;
  }
}

}  // namespace drs
