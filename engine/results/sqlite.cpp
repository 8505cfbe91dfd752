#include "engine/results/sqlite.h"

#include "engine/base/error.h"

namespace convoy {

Database::Database(const std::filesystem::path& path) : path_(path.string()) {
  const int code =
      sqlite3_open_v2(path_.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  if (code != SQLITE_OK) {
    const std::string reason = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
    sqlite3_close(handle_);
    throw Error(ErrorKind::kRun, path_, "cannot open the lab book: " + reason);
  }
  sqlite3_busy_timeout(handle_, 10'000);  // another program may be writing
}

Database::~Database() {
  sqlite3_close(handle_);
}

void Database::fail(const std::string& doing) const {
  throw Error(ErrorKind::kRun, path_,
              "cannot " + doing + " the lab book: " + sqlite3_errmsg(handle_));
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail("write to");
}

std::int64_t Database::number(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr) != SQLITE_OK) fail("read");
  const bool found = sqlite3_step(statement) == SQLITE_ROW;
  const std::int64_t value = found ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  if (!found) fail("read");
  return value;
}

Statement::Statement(Database& database, const char* sql) : database_(database) {
  check(sqlite3_prepare_v2(database_.handle(), sql, -1, &handle_, nullptr));
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

void Statement::bind(int index, std::nullptr_t) {
  check(sqlite3_bind_null(handle_, index));
}

void Statement::bind(int index, const std::string& text) {
  check(sqlite3_bind_text(handle_, index, text.data(), static_cast<int>(text.size()),
                          SQLITE_TRANSIENT));
}

void Statement::check(int code) {
  if (code != SQLITE_OK) database_.fail("write to");
}

void Statement::finish() {
  const int code = sqlite3_step(handle_);
  sqlite3_reset(handle_);
  if (code != SQLITE_DONE) database_.fail("write to");
}

}  // namespace convoy
