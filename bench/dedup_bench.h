// Benchmarks of DedupIndex, for stages_bench: what the ordered step spends on a chunk, where the table holds every
// known chunk and where it samples. Seconds per 1e9 chunks are nanoseconds a chunk.
#pragma once

namespace drs::bench {

void declare_dedup();

}  // namespace drs::bench
