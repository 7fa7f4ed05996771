#include "engine/repository/store_time.h"

#include <optional>
#include <string>

#include "codecs/random.h"
#include "sinks/settled_put.h"

namespace drs {

Result<WallNs> store_time(ObjectStore& store) {
  Uuid id;
  random_bytes(id.mutable_view());
  const std::string name = "doctor/time-" + id.hex();
  DRS_RETURN_IF_ERROR(put_settled(store, name, id.view()));
  // By a list, as the times with which it is compared: other answers of some stores have whole seconds only.
  std::optional<WallNs> stored_ns;
  const auto listed = store.list("doctor/", [&](const ObjectInfo& info) -> Result<void> {
    if (info.key == name) stored_ns = info.modified_ns;
    return {};
  });
  static_cast<void>(store.remove(name));  // a role that may not delete leaves it
  DRS_RETURN_IF_ERROR(listed);
  if (!stored_ns)
    return Error(ErrorCode::kUsage, "a list of " + store.name_for_messages() + " does not show " + name +
                                        ", which was just stored: prune needs lists that show every object");
  if (*stored_ns == 0)
    return Error(ErrorCode::kUsage,
                 store.name_for_messages() + " does not tell when an object was stored, so no age can be measured");
  return *stored_ns;
}

}  // namespace drs
