#include "verify/absent_objects.h"

#include "engine/repository/listed_again.h"
#include "io/base/error_class.h"

namespace drs {

Result<void> AbsentObjects::check(std::size_t number, const ListedObject& object) {
  const auto checked = object.read();
  if (checked.ok()) return {};
  if (!is_object_fault(checked.error())) return checked;
  if (is_absent(checked.error())) {
    const std::scoped_lock lock(mutex_);
    numbers_.push_back(number);
  } else {
    object.report(checked.error());
  }
  return {};
}

Result<void> AbsentObjects::check_again(ObjectStore& store,
                                        const std::function<ListedObject(std::size_t)>& object_of) const {
  std::vector<ListedObject> objects;
  std::vector<std::string> names;
  for (const std::size_t number : numbers_) {
    objects.push_back(object_of(number));
    names.push_back(objects.back().name);
  }
  DRS_ASSIGN_OR_RETURN(const auto listed, still_listed(store, names));
  for (const ListedObject& object : objects) {
    if (!listed.contains(object.name)) continue;
    const auto checked = object.read();
    if (checked.ok()) continue;
    if (!is_object_fault(checked.error())) return checked;
    object.report(is_absent(checked.error()) ? listed_but_absent() : checked.error());
  }
  return {};
}

}  // namespace drs
