#include "engine/daemon/disk.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdarg>
#include <cstdio>
#include <memory>

#include "base/check.h"

namespace tribecast::engine {
namespace {

// Two of them may be in memory. More of the files that they become are merged at once, as merging
// costs about the same for any number of them.
constexpr std::size_t kWriteBufferBytes = 8U << 20U;
constexpr int kFilesToMerge = 8;

// RocksDB's own log is a file in its directory. On a full disk the second line that cannot be
// written ends the process, where the library was built with assertions, as in Debian.
class NoLog : public rocksdb::Logger {
 public:
  void LogHeader(const char* /*format*/, va_list /*values*/) override {}
  void Logv(const char* /*format*/, va_list /*values*/) override {}
  void Logv(rocksdb::InfoLogLevel /*level*/, const char* /*format*/, va_list /*values*/) override {}
};

rocksdb::Options options_for(rocksdb::WALRecoveryMode recovery) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.wal_recovery_mode = recovery;
  options.write_buffer_size = kWriteBufferBytes;
  options.level0_file_num_compaction_trigger = kFilesToMerge;
  options.max_open_files = 64;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kNoCompression;
  options.info_log = std::make_shared<NoLog>();
  return options;
}

rocksdb::Slice slice_of(Bytes bytes) {
  const std::string_view text = view_of(bytes);
  return {text.data(), text.size()};
}

Bytes bytes_in(const rocksdb::Slice& slice) { return bytes_of({slice.data(), slice.size()}); }

Unexpected<io::OsError> disk_error(const std::string& directory, const rocksdb::Status& status) {
  return Unexpected{io::OsError{0, directory, status.ToString()}};
}

}  // namespace

struct Disk::State : std::enable_shared_from_this<State> {
  State(io::Loop& l, std::string path, bool synchronise, std::optional<seal::RecordSeal> sealed_by)
      : loop(l),
        directory(std::move(path)),
        synchronised(synchronise),
        seal(std::move(sealed_by)) {}

  rocksdb::Status open_with(rocksdb::WALRecoveryMode recovery);
  io::OsResult<Done> open();
  io::OsResult<Done> begin_anew();
  rocksdb::Status commit(const std::vector<session::Saved>& records);
  rocksdb::Status put_in(rocksdb::WriteBatch& batch, const session::Saved& record) const;
  io::OsResult<seal::Record> opened(Bytes key, Bytes value);
  [[nodiscard]] bool is_superseded(Bytes key, const seal::Record& record) const;

  io::Loop& loop;
  std::string directory;
  bool synchronised;
  std::optional<seal::RecordSeal> seal;
  std::vector<Buffer> outdated;     // keys
  std::unique_ptr<rocksdb::DB> db;  // of the worker, while a commit is under way; null after errors
  std::string damage;
  bool failed = false;  // the last commit; of the worker
  bool busy = false;
  bool closed = false;
  boost::asio::thread_pool worker{1};
};

rocksdb::Status Disk::State::open_with(rocksdb::WALRecoveryMode recovery) {
  rocksdb::DB* opened = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(options_for(recovery), directory, &opened);
  db.reset(opened);
  return status;
}

// A log that ends in the middle of a record counts as damaged, too: a host that loses its power
// leaves it so, but also a length that is wrong looks like this, and what was behind it is lost.
io::OsResult<Done> Disk::State::open() {
  rocksdb::Status status = open_with(rocksdb::WALRecoveryMode::kAbsoluteConsistency);
  if (status.ok()) return Done{};
  if (!status.IsCorruption()) return disk_error(directory, status);
  damage = status.ToString();
  // What was written before the damaged record.
  status = open_with(rocksdb::WALRecoveryMode::kPointInTimeRecovery);
  return status.ok() ? io::OsResult<Done>(Done{}) : begin_anew();
}

// Earlier damage makes room for this one.
io::OsResult<Done> Disk::State::begin_anew() {
  db.reset();
  outdated.clear();
  const std::string aside = directory + ".damaged";
  static_cast<void>(rocksdb::DestroyDB(aside, {}));
  if (std::rename(directory.c_str(), aside.c_str()) != 0) return io::os_error(directory);
  const rocksdb::Status status = open_with(rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords);
  if (!status.ok()) return disk_error(directory, status);
  return Done{};
}

rocksdb::Status Disk::State::put_in(rocksdb::WriteBatch& batch,
                                    const session::Saved& record) const {
  const Buffer key = seal ? seal->key_of(record.key) : record.key;
  if (!record.value) return batch.Delete(slice_of(key));
  if (!seal) return batch.Put(slice_of(key), slice_of(*record.value));
  const seal::Record sealed = seal->seal(record.key, *record.value, seal::system_random());
  return batch.Put(slice_of(sealed.key), slice_of(sealed.value));
}

// Runs in the worker.
rocksdb::Status Disk::State::commit(const std::vector<session::Saved>& records) {
  if (failed) {
    // After an error RocksDB takes nothing more. What was half written is not there when it is
    // opened.
    db.reset();
    if (rocksdb::Status opened = open_with(rocksdb::WALRecoveryMode::kPointInTimeRecovery);
        !opened.ok()) {
      return opened;
    }
  }
  rocksdb::WriteBatch batch;
  for (const session::Saved& record : records) {
    rocksdb::Status put = put_in(batch, record);
    if (!put.ok()) return put;
  }
  rocksdb::WriteOptions options;
  options.sync = synchronised;
  rocksdb::Status status = db->Write(options, &batch);
  failed = !status.ok();
  return status;
}

Disk::Disk(std::shared_ptr<State> state) : state_(std::move(state)) {}

Disk::~Disk() {
  state_->closed = true;
  state_->worker.join();
  state_->db.reset();
}

io::OsResult<std::unique_ptr<Disk>> Disk::open(io::Loop& loop, const std::string& directory,
                                               bool synchronised,
                                               std::optional<seal::RecordSeal> seal) {
  umask(S_IRWXG | S_IRWXO);
  auto state = std::make_shared<State>(loop, directory, synchronised, std::move(seal));
  if (const auto opened = state->open(); !opened) return Unexpected{opened.error()};
  return std::unique_ptr<Disk>(new Disk(std::move(state)));
}

// The record as it was before it was sealed, if it was.
io::OsResult<seal::Record> Disk::State::opened(Bytes key, Bytes value) {
  const auto refuse = [&](std::string why) {
    return Unexpected{io::OsError{0, directory, std::move(why)}};
  };
  const bool is_current = seal ? seal->is_current(key) : !seal::RecordSeal::is_sealed(key);
  if (!is_current) outdated.push_back(copy_of(key));
  if (!seal::RecordSeal::is_sealed(key)) return seal::Record{copy_of(key), copy_of(value)};
  if (!seal) return refuse("the sessions are sealed; name the key ring: [sessions] key-file");
  auto record = seal->open(key, value);
  if (record) return std::move(*record);
  const std::string id = key.size() > 1 ? std::to_string(key[1]) : "?";
  if (record.error() == seal::RecordError::no_key) {
    return refuse("sessions are sealed with key " + id + ", which key-file does not have");
  }
  return refuse("key " + id + " of key-file is not the one that sessions are sealed with");
}

// It was written anew before a kill, and is there twice.
bool Disk::State::is_superseded(Bytes key, const seal::Record& record) const {
  if (!seal || seal->is_current(key)) return false;
  std::string newer;
  return db->Get({}, slice_of(seal->key_of(record.key)), &newer).ok();
}

io::OsResult<Disk::Loaded> Disk::load(const std::function<void(Bytes, Bytes)>& take) {
  TC_CHECK(!state_->busy);
  Loaded loaded;
  {
    rocksdb::ReadOptions once;
    once.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at(state_->db->NewIterator(once));
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
      const auto record = state_->opened(bytes_in(at->key()), bytes_in(at->value()));
      if (!record) return Unexpected{record.error()};
      if (state_->is_superseded(bytes_in(at->key()), *record)) continue;
      take(record->key, record->value);
      ++loaded.records;
    }
    if (!at->status().ok()) state_->damage = at->status().ToString();
  }
  loaded.damage = state_->damage;
  if (!loaded.damage.empty()) {
    if (const auto anew = state_->begin_anew(); !anew) return Unexpected{anew.error()};
  }
  loaded.outdated = state_->outdated.size();
  return loaded;
}

void Disk::write(std::vector<session::Saved> records, std::function<void(std::string)> done) {
  TC_CHECK(!state_->busy);
  state_->busy = true;
  boost::asio::post(state_->worker, [state = state_, records = std::move(records),
                                     done = std::move(done)]() mutable {
    const rocksdb::Status status = state->commit(records);
    boost::asio::post(state->loop, [state, done = std::move(done),
                                    why = status.ok() ? std::string() : status.ToString()] {
      state->busy = false;
      if (!state->closed) done(why);
    });
  });
}

std::string Disk::write_now(const std::vector<session::Saved>& records) {
  TC_CHECK(!state_->busy);
  const rocksdb::Status status = state_->commit(records);
  return status.ok() ? std::string() : status.ToString();
}

// What is deleted stays in the files until they are written anew; and its first and last keys in
// the list of files, until the next opening writes that anew.
std::string Disk::drop_outdated() {
  TC_CHECK(!state_->busy);
  rocksdb::WriteBatch batch;
  for (const Buffer& key : state_->outdated) {
    if (rocksdb::Status status = batch.Delete(slice_of(key)); !status.ok())
      return status.ToString();
  }
  state_->outdated.clear();
  rocksdb::WriteOptions options;
  options.disableWAL = true;  // its keys must not stay; a kill before the end does it again
  rocksdb::Status status = state_->db->Write(options, &batch);
  rocksdb::CompactRangeOptions all;
  all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  if (status.ok()) status = state_->db->CompactRange(all, nullptr, nullptr);
  if (status.ok()) {
    state_->db.reset();
    status = state_->open_with(rocksdb::WALRecoveryMode::kAbsoluteConsistency);
  }
  state_->failed = !status.ok();
  return status.ok() ? std::string() : status.ToString();
}

bool Disk::is_busy() const { return state_->busy; }

}  // namespace tribecast::engine
