#include "tools/place_address.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "tools/open_gcs.h"
#include "tools/open_s3.h"

namespace drs {

std::string place_address(const RepositoryPlace& place) {
  std::string address = place.name;
  if (place.kind == RepositoryPlace::Kind::kLocal) {
    std::error_code error;
    const auto path = std::filesystem::canonical(place.name, error);
    if (!error) address = path.string();
  } else {
    const auto server = place.kind == RepositoryPlace::Kind::kS3 ? s3_server(place) : gcs_server(place);
    if (server.ok()) address += " at " + *server;
  }
  std::replace(address.begin(), address.end(), '\n', ' ');
  return address;
}

}  // namespace drs
