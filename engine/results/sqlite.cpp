#include "engine/results/sqlite.h"

#include <charconv>
#include <cmath>

#include "engine/base/number_text.h"

namespace convoy {

Database::Database(const std::filesystem::path& path, Open open, ErrorKind kind)
    : path_(path.string()), kind_(kind) {
  const int flags = SQLITE_OPEN_READWRITE | (open == Open::kOrCreate ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path_.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    const std::string reason = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
    sqlite3_close(handle_);
    throw Error(kind_, path_, "cannot open the lab book: " + reason);
  }
  sqlite3_busy_timeout(handle_, 10'000);  // another program may be writing
}

Database::~Database() {
  sqlite3_close(handle_);
}

void Database::fail(const std::string& doing) const {
  const int code = sqlite3_errcode(handle_);
  std::string reason = sqlite3_errmsg(handle_);
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
    reason += "; the file is damaged or no lab book, and is left as it is: name another one";
  throw Error(kind_, path_, "cannot " + doing + " the lab book: " + reason);
}

void Database::refuse(const std::string& reason) const {
  throw Error(kind_, path_, reason);
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail("write to");
}

std::int64_t Database::number(const char* sql) {
  Statement statement(*this, sql);
  if (!statement.next()) fail("read");
  return statement.integer(0);
}

bool Database::understands(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr);
  sqlite3_finalize(statement);
  if (code != SQLITE_OK && code != SQLITE_ERROR) fail("read");  // damaged, not different
  return code == SQLITE_OK;
}

Statement::Statement(Database& database, const char* sql) : database_(database) {
  if (sqlite3_prepare_v2(database_.handle(), sql, -1, &handle_, nullptr) != SQLITE_OK)
    database_.fail("read");
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

void Statement::bind(int index, std::nullptr_t) {
  check(sqlite3_bind_null(handle_, index));
}

void Statement::bind(int index, double value) {
  if (std::isnan(value))
    bind(index, number_text(value));
  else
    check(sqlite3_bind_double(handle_, index, value));
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

bool Statement::next() {
  const int code = sqlite3_step(handle_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) database_.fail("read");
  return code == SQLITE_ROW;
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::optional<double> Statement::real(int column) const {
  if (is_null(column)) return std::nullopt;
  if (sqlite3_column_type(handle_, column) != SQLITE_TEXT)
    return sqlite3_column_double(handle_, column);
  const std::string word = text(column);
  double value = 0.0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), value);
  if (read.ec != std::errc() || read.ptr != word.data() + word.size())
    database_.refuse("the lab book has \"" + word + "\" where a number belongs, in column " +
                     sqlite3_column_name(handle_, column));
  return value;
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (!bytes) return {};
  return std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

}  // namespace convoy
