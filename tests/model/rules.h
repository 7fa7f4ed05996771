// The rules of the protocol that the model checks. All are on in the protocol as decided; a mutant switches one off.
#pragma once

namespace drs::model {

struct Rules {
  // Condemned records
  bool records_permanent = true;      // a record is never removed or taken back
  bool reads_vanished_again = true;   // a record that is listed but gone: list again
  bool passes_over_condemned = true;  // pushes, resume, unforget use no condemned pack
  bool copies_uncondemned = true;     // a pack that justifies a deletion is in no record
  bool checks_manifests = true;       // the verdict lists manifests after the sessions are settled
  bool verdict_by_table = true;       // blocks of a pack come from its table, not from the index
  bool tableless_is_spare = true;     // without a readable table it goes only if the index shows that (added)

  // Sessions and fences
  bool keeps_doubtful_session = true;  // session objects stay while the outcome of the commit is unknown
  bool fences = true;                  // unsettled sessions are fenced
  bool silent_is_fenced = true;        // a session that is silent for too long is fenced, not waited for
  bool fences_before_lists = true;     // sessions are settled before manifests are listed
  bool waits_after_record = true;      // sessions are listed after the record is durable
  bool cleans_only_settled = true;     // housekeeping removes session objects only behind a manifest or fence
  bool fence_keeps_manifest = true;    // a fence is put with create-if-absent
  bool session_names_fresh = true;     // a session object never has the name of an earlier one (added)

  // Resume and copy
  bool resume_has_session = true;
  bool copy_has_session = true;       // the copy's manifest has a session of its name
  bool copy_checks_again = true;      // condemned is listed again behind that session
  bool copy_checks_fence = true;      // the copy looks for a fence of its lasting session
  bool copy_avoids_condemned = true;  // a condemned name is absent for good

  // Index objects
  bool new_index_first = true;         // a merged index object is durable before the old ones are condemned
  bool index_verdict = true;           // an index object is deleted only if the entries that are needed are in others
  bool claims_checked = true;          // an entry of an index object counts only if its pack is listed
  bool index_justified = true;         // every entry that is needed is in another index object that no record names
  bool vanished_index_again = true;    // an index object that is listed but gone: list again
  bool reader_lists_again = true;      // a pack that is gone is damage only if located anew
  bool reader_checks_live = true;      // ... and with the manifest still live
  bool repair_keeps_only_list = true;  // repair index keeps what alone lists an unreadable table or lost block
  bool lost_entries_stay = true;       // prune keeps entries of live blocks that no pack holds

  // Forget
  bool undo_protects = true;       // marks younger than the undo time count as live
  bool kept_protects = true;       // so do marks beside a hold
  bool kept_after_removed = true;  // prune lists holds after removal marks
  bool hold_checks_after = true;   // a hold looks for removal marks after its record is durable (added)
  bool unforget_has_session = true;
  bool unforget_new_manifest = true;  // unforget takes no mark back
  bool keeps_held_manifest = true;    // housekeeping keeps manifests that are held

  // Retired
  bool commit_reads_retired = true;  // a commit reads removed and retired after its put
  bool readers_read_retired = true;  // a manifest that a retired object names is not live
  bool retired_last = true;          // readers list manifests, removed, retired in this order
  bool retired_before_fence_goes = true;
  bool retires_only_gone = true;          // a removal mark is taken up only if its manifest object is gone
  bool vanished_retired_again = true;     // a retired object that is listed but gone: list again
  bool deletes_only_read_retired = true;  // a rewrite deletes only the retired objects that it has read (added)
  bool retired_names_fresh = true;        // a retired object never has the name of an earlier one (added)
  bool retired_before_older_goes = true;  // the new retired object is durable before the older ones are deleted

  // Unreadable objects
  bool distrusts_unreadable_record = true;  // writers use only packs younger than an unreadable record
  bool prune_distrusts_record = true;       // so does the verdict of a prune
  bool unreadable_stops_reuse = true;       // writers, and verdicts, use none, since a pack may be put again (added)
  bool unreadable_waits_keep = true;
  bool unreadable_manifest_keeps = true;
  bool unreadable_recipe_keeps = true;
  bool unreadable_mark_hides_nothing = true;
  bool unreadable_session_counts = true;

  // --exclusive
  bool exclusive_fences = true;
  bool exclusive_keeps_undo = true;

  // repair packs
  bool repair_never_replaces = true;      // a damaged pack is never deleted and put again
  bool repair_reads_records = true;       // a missing pack that a record names is not put again
  bool repair_waits_after_record = true;  // sessions are listed after its record is durable
};

}  // namespace drs::model
