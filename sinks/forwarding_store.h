// The base of decorators: forwards every call to the inner store, so a decorator overrides only what it changes.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/object_store.h"

namespace drs {

class ForwardingStore : public ObjectStore {
 public:
  explicit ForwardingStore(std::unique_ptr<ObjectStore> inner) : inner_(std::move(inner)) {}

  void put(PutOperation& operation) override { inner_->put(operation); }
  void name(PutOperation& operation, ObjectKey key) override { inner_->name(operation, std::move(key)); }
  void drop(PutOperation& operation) override { inner_->drop(operation); }
  void get(GetOperation& operation) override { inner_->get(operation); }
  Result<std::size_t> run(bool wait) override { return inner_->run(wait); }
  void wake() override { inner_->wake(); }
  [[nodiscard]] std::size_t in_flight() const override { return inner_->in_flight(); }

  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    return inner_->list_together(prefixes, visit);
  }
  Result<ObjectInfo> stat(const ObjectKey& key) override { return inner_->stat(key); }
  Result<void> remove(const ObjectKey& key) override { return inner_->remove(key); }
  Result<void> remove_all(std::span<const ObjectKey> keys) override { return inner_->remove_all(keys); }
  Result<void> secure(const std::vector<ObjectKey>& keys) override { return inner_->secure(keys); }

  // Decorates a clone of the inner store.
  Result<std::unique_ptr<ObjectStore>> clone() final {
    DRS_ASSIGN_OR_RETURN(std::unique_ptr<ObjectStore> inner, inner_->clone());
    return around(std::move(inner));
  }
  void register_memory(MutableByteView memory) override { inner_->register_memory(memory); }
  [[nodiscard]] StoreTraits traits() const override { return inner_->traits(); }
  [[nodiscard]] StoreDescription describe() const override { return inner_->describe(); }
  [[nodiscard]] std::vector<RequestCount> request_counts() const override { return inner_->request_counts(); }

 protected:
  // Decorates another store the same way.
  virtual Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> inner) = 0;

  [[nodiscard]] ObjectStore& inner() const { return *inner_; }
  // The members of a decorator are destroyed before the inner store. A decorator whose members hold operations that it
  // started in the inner store calls this in its destructor: the inner store borrows them until it is destroyed.
  void end_inner() { inner_.reset(); }

 private:
  std::unique_ptr<ObjectStore> inner_;
};

}  // namespace drs
