// What outlives the engine: RocksDB in a directory of its own. Each commit is one atomic batch,
// written by a thread of this object's, one after another; its outcome comes from the loop. Every
// block carries a checksum, which is looked at whenever it is read.
//
// With a seal the database sees neither keys nor values of records (seal/record.h). What was
// written without it, or with a key that is not the primary one any more, is read all the same.
//
// A kill -9 of the engine loses no commit that has ended, with any Fsync; a host that loses its
// power loses those that were not synchronised.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/session/saved.h"
#include "io/error.h"
#include "io/loop.h"
#include "seal/record.h"

namespace tribecast::engine {

class Disk {
 public:
  // Opens, or makes, the database in `directory`, whose parent must be there; its files are
  // readable by the owner alone, as are all that this process makes from now on (umask).
  static io::OsResult<std::unique_ptr<Disk>> open(io::Loop& loop, const std::string& directory,
                                                  bool synchronised,
                                                  std::optional<seal::RecordSeal> seal = {});
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  // Waits for the commit that is under way; nobody is told of it any more.
  ~Disk();

  struct Loaded {
    std::uint64_t records = 0;
    // Not empty: some records are damaged, and lost. Those that were given are whole. The damaged
    // database was put aside, and an empty one has taken its place: write everything anew.
    std::string damage;
    // So many are not sealed as they would be now: write everything anew, then drop_outdated().
    std::uint64_t outdated = 0;
  };
  // Calls `take` for each record. Before the first write. An error, and nothing was lost, when one
  // is sealed and the key is not there.
  io::OsResult<Loaded> load(const std::function<void(Bytes key, Bytes value)>& take);

  // One commit; the next one after its outcome. `done`: an empty text, or why it failed; nothing of
  // it is there then.
  void write(std::vector<session::Saved> records, std::function<void(std::string)> done);
  // The same, and it is over when this returns.
  std::string write_now(const std::vector<session::Saved>& records);
  // Those that load() counted; no byte of them stays in a file. Empty, or why not.
  std::string drop_outdated();
  [[nodiscard]] bool is_busy() const;

 private:
  struct State;
  explicit Disk(std::shared_ptr<State> state);
  // Owned by this object and by the handlers in the loop.
  std::shared_ptr<State> state_;
};

}  // namespace tribecast::engine
