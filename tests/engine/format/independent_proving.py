"""Records of sweeps, and what they prove: written from docs/FORMAT.md alone, like independent_reader.py."""

import dataclasses

import independent_reader as form

HOUR_NS = 3600 * 10**9
ARCS_MAX, DAMAGED_MAX, REBUILT_MAX, COVERAGES_MAX, TEXT_BYTES_MAX = 20_000, 10_000, 20_000, 2_000, 255
DIGEST, DECODED = 1, 2


@dataclasses.dataclass
class Arc:
    first: bytes
    last: bytes
    since_ns: int
    until_ns: int
    listed_ns: int
    packs: int
    bytes: int
    names: bytes
    level: int
    proven_ns: int


@dataclasses.dataclass
class Record:
    folded: bool
    ended_ns: int
    structure_ns: int
    structure_whole: bool
    arcs: list
    damaged: list  # (name, level, time)
    rebuilt: list  # (identity of a manifest, whether it was equal, time)
    moments: list  # (time, window, bytes, proven bytes)


@dataclasses.dataclass
class Proof:
    read_ns: int = 0
    decoded_ns: int = 0
    damaged: bool = False
    damaged_level: int = 0


def read_level(reader):
    level = reader.u8()
    form.check_known(level, [DIGEST, DECODED], "verified: level")
    return level


def read_flag(reader):
    flag = reader.u8()
    form.check(flag <= 1, "verified: a flag")
    return flag == 1


def read_arc(reader):
    names = [reader.raw(32), reader.raw(32)]
    times = [reader.i64() for _ in range(3)]
    arc = Arc(*names, *times, reader.u64(), reader.u64(), reader.raw(16), read_level(reader), reader.i64())
    form.check(arc.first <= arc.last, "verified: an arc runs backwards")
    form.check(arc.since_ns < arc.until_ns, "verified: an arc has no time")
    return arc


def read_verified(body):
    reader = form.Reader(body, "verified")
    folded, ended_ns, structure_ns, whole = read_flag(reader), reader.i64(), reader.i64(), read_flag(reader)
    reader.string(TEXT_BYTES_MAX), reader.string(TEXT_BYTES_MAX)
    arcs = [read_arc(reader) for _ in range(reader.count(129, "I", ARCS_MAX))]
    damaged = [(reader.raw(32), read_level(reader), reader.i64()) for _ in range(reader.count(41, "I", DAMAGED_MAX))]
    rebuilt = [(reader.raw(32), read_flag(reader), reader.i64()) for _ in range(reader.count(41, "I", REBUILT_MAX))]
    moments = [(reader.i64(), reader.u64(), reader.u64(), reader.u64())
                 for _ in range(reader.count(32, "I", COVERAGES_MAX))]  # fmt: skip
    form.check(all(proven <= stored for _, _, stored, proven in moments), "verified: more is proven than stored")
    reader.finish()
    return Record(folded, ended_ns, structure_ns, whole, arcs, damaged, rebuilt, moments)


def corrected(time_ns, record, stored_ns):
    """A time of a record whose object has the store's time `stored_ns`; 0: unknown."""
    if record.folded or stored_ns == 0:
        return time_ns
    return min(time_ns, stored_ns - max(record.ended_ns - time_ns, 0))


def packs_of(arc, packs):
    """Those of `packs` that an arc proves; each is (name, the store's time, whether it is condemned, bytes)."""
    within = sorted(pack for pack in packs if not pack[2] and arc.first <= pack[0] <= arc.last
                    and arc.since_ns < pack[1] <= arc.until_ns)  # fmt: skip
    stored = sum(pack[3] for pack in within)
    if len(within) == arc.packs:
        same = stored == arc.bytes and form.sha256(b"".join(pack[0] for pack in within))[:16] == arc.names
        return within if same else []
    if len(within) > arc.packs or stored >= arc.bytes:
        return []
    return [pack for pack in within if 0 < pack[1] <= arc.listed_ns - HOUR_NS]


def proofs_of(packs, records, now_ns):
    """A Proof by name of pack, from (record, the store's time of its object)."""
    facts = []
    for record, stored_ns in records:
        facts += [(corrected(arc.proven_ns, record, stored_ns), 0, number, arc) for number, arc in enumerate(record.arcs)]
        facts += [(corrected(one[2], record, stored_ns), 1, number, one) for number, one in enumerate(record.damaged)]
    proofs = {pack[0]: Proof() for pack in packs}
    for time_ns, is_damage, _, fact in sorted(facts, key=lambda fact: fact[:3]):
        if time_ns > now_ns + HOUR_NS:
            continue
        if is_damage:
            if any(pack[0] == fact[0] and pack[1] <= time_ns for pack in packs):
                proofs[fact[0]] = Proof(damaged=True, damaged_level=fact[1])
            continue
        for name, _, _, _ in packs_of(fact, packs):
            proof = proofs[name]
            if proof.damaged and fact.level < proof.damaged_level:
                continue
            proof.damaged, proof.read_ns = False, time_ns
            if fact.level == DECODED:
                proof.decoded_ns = time_ns
    return proofs
