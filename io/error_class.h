// What an error says about the object that was read when it came up: the one place that decides it for the whole
// program. A check turns damage into a finding and a mark, a restore looks for another copy, a push stores anew; all
// else ends the run with the error as it is, because it says nothing about what is stored.
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
// A newer version is a finding without a mark: a flipped bit says the same, and a newer drstream may read the object.
// Where an object is expected that a prune or another process may have removed, the caller looks at kAbsent first.
#pragma once

#include "io/result.h"

namespace drs {

enum class ErrorClass : std::uint8_t {
  kDamage,   // the object is there, and its bytes are wrong or cannot be read from the medium
  kTooNew,   // the object says that it is of a newer version
  kAbsent,   // no such object
  kMachine,  // this machine is short of descriptors, memory or threads, or computes wrongly
  kStore,    // the store does not answer, refuses, or is full
  kOther,    // the request, the key, another session, a signal: nothing about stored bytes
};

ErrorClass classify(const Error& error);

// The object's bytes are wrong, unreadable or of a newer version: worth a second read before anything is said of it.
inline bool is_damage(const Error& error) {
  const ErrorClass c = classify(error);
  return c == ErrorClass::kDamage || c == ErrorClass::kTooNew;
}

// The error is about this one object, which is damaged or gone: note it, look for another copy, go on.
inline bool is_object_fault(const Error& error) {
  return is_damage(error) || classify(error) == ErrorClass::kAbsent;
}

// The bytes themselves are gone: worth a damage mark.
inline bool is_lasting_damage(const Error& error) {
  return classify(error) == ErrorClass::kDamage;
}

// This machine has no descriptor, memory or thread left: nothing is wrong with what is stored, asked or given.
inline bool is_shortage(const Error& error) {
  return classify(error) == ErrorClass::kMachine && error.code != ErrorCode::kInternal;
}

// The error as one of `code`, for a caller that knows whose trouble it is; a shortage stays one.
inline Error as_code_unless_shortage(ErrorCode code, Error error) {
  if (!is_shortage(error)) error.code = code;
  return error;
}

// True for the errno of a resource that this machine is short of.
bool is_shortage_errno(int number);

}  // namespace drs
