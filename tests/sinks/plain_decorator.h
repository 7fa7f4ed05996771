// A decorator that changes nothing: it shows what ForwardingStore itself does.
#pragma once

#include <memory>
#include <utility>

#include "sinks/forwarding_store.h"

namespace drs::test {

class PlainDecorator final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

 private:
  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> inner) override {
    return std::unique_ptr<ObjectStore>(std::make_unique<PlainDecorator>(std::move(inner)));
  }
};

}  // namespace drs::test
