#include "sinks/transport/object_fault.h"

#include <algorithm>
#include <cerrno>

#include "sinks/transport/content_range.h"
#include "sinks/transport/request_engine.h"

namespace drs {
namespace {

std::chrono::milliseconds suspicion_time(const RetryOptions& options) {
  return std::min(options.brief_budget, options.budget);
}

// Changes `request` to ask for these bytes of its object, into the beginning of `place`.
void ask_for(StoreRequest& request, std::uint64_t offset_bytes, std::size_t bytes, MutableByteView place) {
  for (HttpHeader& header : request.headers)
    if (header.name == "Range")
      header.value = "bytes=" + std::to_string(offset_bytes) + "-" + std::to_string(offset_bytes + bytes - 1);
  request.destination = place.first(bytes);
  request.part_begin_bytes = offset_bytes;
  request.accept = [offset_bytes, bytes](const HttpTransfer& answer) {
    return check_range(answer, offset_bytes, bytes);
  };
}

// A copy of a get without its range, which `ask_for` sets.
StoreRequest get_request(const std::string& path, const std::string& query, const std::vector<HttpHeader>& headers,
                         const StoreRequest& for_request) {
  StoreRequest request;
  request.kind = StoreRequest::Kind::kGet;
  request.method = "GET";
  request.path = path;
  request.query = query;
  request.headers = headers;
  request.redirect_url = for_request.redirect_url;
  request.what = for_request.what;
  return request;
}

}  // namespace

void GoodGets::note(const StoreRequest& request, const HttpTransfer& answer) {
  if (!reads_range(request)) return;
  const std::scoped_lock lock(mutex_);
  if (largest_ && largest_->bytes >= answer.received_bytes) return;
  largest_ = {request.path, request.query, request.headers, *request.part_begin_bytes, answer.received_bytes};
}

std::optional<GoodGet> GoodGets::largest() const {
  const std::scoped_lock lock(mutex_);
  return largest_;
}

void GoodGets::failed(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (largest_ && largest_->path == path) largest_.reset();
}

void GoodGets::found_fault(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (first_fault_.empty())
    first_fault_ = path;
  else
    further_fault_ = true;
}

bool GoodGets::fault_was_found_besides(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  return further_fault_ || (!first_fault_.empty() && first_fault_ != path);
}

void ObjectFault::cut(Time now, std::uint64_t received_bytes) {
  const bool elsewhere =
      std::max(received_bytes_max_, received_bytes) > std::min(received_bytes_min_, received_bytes) + kSamePlaceBytes;
  if (refusals_ > 0 || elsewhere) *this = {};
  if (cuts_++ == 0) {
    began_ = now;
    received_bytes_min_ = received_bytes;
  }
  received_bytes_min_ = std::min(received_bytes_min_, received_bytes);
  received_bytes_max_ = std::max(received_bytes_max_, received_bytes);
}

void ObjectFault::refused(Time now) {
  if (cuts_ > 0) *this = {};
  if (refusals_++ == 0) began_ = now;
}

bool ObjectFault::suspected(Time now, const RetryOptions& options, Circumstances circumstances) const {
  const bool spent = circumstances.budget_spent;
  if (refusals_ > 0) return spent && refusals_ >= kFurtherCutsMin && now - began_ >= suspicion_time(options) / 2;
  if (circumstances.fault_was_found) return cuts_ >= kFurtherCutsMin;
  return cuts_ >= kCutsMin && (spent || now - began_ >= suspicion_time(options));
}

ObjectFault::Time ObjectFault::next_by(Time now, Time at, const RetryOptions& options) const {
  if (cuts_ == 0 || now - began_ >= suspicion_time(options)) return at;
  return std::min(at, now + suspicion_time(options) / (kCutsMin - 1));
}

Error ObjectFault::verdict(const Error& last, const StoreRequest& request, const HttpTransfer& answer) const {
  std::string text = last.message;
  if (is_cut()) {
    const std::uint64_t end_bytes = request.part_begin_bytes.value_or(0) + received_bytes_max_;
    text += "; sent " + std::to_string(cuts_) + " times and cut each time, at byte " + std::to_string(end_bytes) +
            " of " + std::to_string(object_bytes(answer).value_or(end_bytes)) + " at the latest";
  } else {
    text += "; answered so " + std::to_string(refusals_) + " times, until --store-timeout, and the store has it";
  }
  text +=
      ", while other objects arrive whole: the store holds it damaged (see its log and let it heal the object, or take "
      "a replica's), or something before the store fails for just this one";
  return {ErrorCode::kIo, std::move(text), EIO};
}

bool reads_range(const StoreRequest& request) {
  return request.kind == StoreRequest::Kind::kGet && request.part_begin_bytes && !request.destination.empty();
}

bool is_cut(const StoreRequest& request, const HttpTransfer& answer) {
  if (!reads_range(request) || !answer.cut_short) return false;
  if (answer.status == 200) return whole_object_bytes(answer).has_value();
  const auto range = content_range(answer);
  return answer.status == 206 && range && range->begin_bytes == *request.part_begin_bytes;
}

StoreRequest behind_cut(const StoreRequest& request, std::uint64_t received_bytes, const GoodGet& good) {
  StoreRequest behind = get_request(request.path, request.query, request.headers, request);
  const std::uint64_t rest_bytes = request.destination.size() - received_bytes;
  const std::uint64_t bytes = std::min({rest_bytes, good.bytes, ObjectFault::kSamePlaceBytes});
  ask_for(behind, *request.part_begin_bytes + received_bytes, static_cast<std::size_t>(bytes), request.destination);
  return behind;
}

StoreRequest made_again(const GoodGet& get, const StoreRequest& failed) {
  StoreRequest again = get_request(get.path, get.query, get.headers, failed);
  const std::uint64_t bytes =
      std::min({get.bytes, std::uint64_t{failed.destination.size()}, ObjectFault::kSamePlaceBytes});
  ask_for(again, get.offset_bytes, static_cast<std::size_t>(bytes), failed.destination);
  return again;
}

}  // namespace drs
