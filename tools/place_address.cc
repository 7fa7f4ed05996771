#include "tools/place_address.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "tools/open_gcs.h"
#include "tools/open_s3.h"

namespace drs {

std::string place_address(const RepositoryPlace& place, CancelToken& cancel) {
  std::string address = place.name;
  if (place.kind == RepositoryPlace::Kind::kLocal) {
    std::error_code error;
    const auto path = std::filesystem::canonical(place.name, error);
    if (!error) address = path.string();
  } else {
    const StoreSurroundings opened_by{.cancel = &cancel};
    const bool s3 = place.kind == RepositoryPlace::Kind::kS3;
    const auto server = s3 ? s3_server(place, opened_by) : gcs_server(place, opened_by);
    if (server.ok()) address += " at " + *server;
  }
  std::replace(address.begin(), address.end(), '\n', ' ');
  return address;
}

}  // namespace drs
