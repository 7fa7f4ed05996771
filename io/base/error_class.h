// Classifies an error by what it implies about the stored object being read. The whole program uses this one
// classification. On damage, a check records a finding and a mark, a restore looks for another copy, and a push stores
// the data again. Any other error implies nothing about stored bytes and ends the run unchanged.
//
// | class    | error codes                    | errno behind kIo                     | finding | mark | read again |
// |----------|--------------------------------|--------------------------------------|---------|------|------------|
// | kDamage  | kCorrupt, kTruncated, some kIo | EIO, EBADMSG, EILSEQ, ENODATA,       | yes     | yes  | yes        |
// |          |                                | EREMOTEIO, EUCLEAN                   |         |      |            |
// | kTooNew  | kFormatTooNew                  |                                      | yes     | no   | yes        |
// | kAbsent  | kNotFound                      |                                      | yes     | no   | no         |
// | kMachine | some kIo, some kBusy,          | EAGAIN, EMFILE, ENFILE, ENOBUFS,     | no      | no   | no         |
// |          | kInternal                      | ENOMEM                               |         |      |            |
// | kStore   | kDenied, kNoSpace,             | any other, and none                  | no      | no   | no         |
// |          | kUnavailable, other kIo        |                                      |         |      |            |
// | kOther   | all others                     |                                      | no      | no   | no         |
//
// A newer version is a finding without a mark: a flipped bit looks the same, and a newer drstream may read the object.
// If a prune or another process may have removed the object, the caller handles kAbsent before it classifies.
#pragma once

#include "io/base/result.h"

namespace drs {

enum class ErrorClass : std::uint8_t {
  kDamage,   // the object exists, but its bytes are wrong or the medium cannot read them
  kTooNew,   // the object declares a newer format version
  kAbsent,   // no such object
  kMachine,  // this machine is out of descriptors, memory or threads, or computes wrongly
  kStore,    // the store does not answer, refuses the request, or is full
  kOther,    // caused by the request, the key, another session or a signal; implies nothing about stored bytes
};

ErrorClass classify(const Error& error);

// No such object.
inline bool is_absent(const Error& error) {
  return classify(error) == ErrorClass::kAbsent;
}

// The object, config or repository declares a newer format version.
inline bool is_too_new(const Error& error) {
  return classify(error) == ErrorClass::kTooNew;
}

// The bytes are lost, not merely of a newer version: record a damage mark.
inline bool is_lasting_damage(const Error& error) {
  return classify(error) == ErrorClass::kDamage;
}

// The object's bytes are wrong, unreadable or of a newer version. Read it a second time before reporting damage.
inline bool is_damage(const Error& error) {
  return is_lasting_damage(error) || is_too_new(error);
}

// The error concerns this one object, which is damaged or missing: record it, look for another copy, continue.
inline bool is_object_fault(const Error& error) {
  return is_damage(error) || is_absent(error);
}

// The medium cannot return the bytes: nothing is known about them, so no part of the object can be relied on.
inline bool is_medium_fault(const Error& error) {
  return error.code == ErrorCode::kIo && is_lasting_damage(error);
}

// This machine is out of descriptors, memory or threads. Stored objects, request and input are not at fault.
inline bool is_shortage(const Error& error) {
  return classify(error) == ErrorClass::kMachine && error.code != ErrorCode::kInternal;
}

// A put that ends with this may have stored its object, or an earlier try of it: what stands under the name decides
// (sinks/settled_put.h).
inline bool is_open_question(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kAlreadyExists;
}

// The error of a put that followed one without an answer. A refusal of the later one does not say that the object stays
// away. That a signal ended it stays what it is.
inline Error as_open_question(Error error) {
  if (error.code != ErrorCode::kCancelled) error.code = ErrorCode::kUnavailable;
  return error;
}

// Replaces the error's code by `code`, for a caller that knows what failed (the source, the sink). A shortage keeps its
// own code.
inline Error as_code_unless_shortage(ErrorCode code, Error error) {
  if (!is_shortage(error)) error.code = code;
  return error;
}

// True if the errno means that this machine is out of a resource.
bool is_shortage_errno(int number);

}  // namespace drs
