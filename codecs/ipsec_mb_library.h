// The library's function table for this CPU. Internal to the ipsec_mb sources, which include the library's header.
#pragma once

extern "C" {
struct IMB_MGR;
}

namespace drs {

// Created once and then only read, so any thread may call the functions that keep no state in it (AES-GCM, one block of
// SHA-256). Never freed: threads may outlive main's statics.
const IMB_MGR& ipsec_mb_functions();

}  // namespace drs
