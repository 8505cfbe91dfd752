// SQLite as far as the lab book needs it: a connection and prepared statements that throw.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/base/error.h"

namespace convoy {

// All functions throw Error with the file and SQLite's reason; its kind is the one given to the
// constructor. Used by one thread.
class Database {
 public:
  enum class Open { kOrCreate, kExisting };

  Database(const std::filesystem::path& path, Open open, ErrorKind kind);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One or more statements that give no rows.
  void execute(const std::string& sql);
  // The single number that a query gives.
  std::int64_t number(const char* sql);
  // Whether the statement's tables and columns are there.
  bool understands(const std::string& sql);
  // With SQLite's reason.
  [[noreturn]] void fail(const std::string& doing) const;
  // With a reason of the caller's.
  [[noreturn]] void refuse(const std::string& reason) const;
  sqlite3* handle() const { return handle_; }

 private:
  std::string path_;
  ErrorKind kind_;
  sqlite3* handle_ = nullptr;
};

// Parameters are bound from the first on, columns are read from column 0 on. NaN, which SQLite
// would take for NULL, is kept as the text "nan" or "-nan". Must not outlive its database.
class Statement {
 public:
  Statement(Database& database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <class... Values>
  void bind_all(const Values&... values) {
    int index = 0;
    (bind(++index, values), ...);
  }
  // Binds all parameters in order and runs a statement that gives no rows.
  template <class... Values>
  void run(const Values&... values) {
    bind_all(values...);
    finish();
  }

  // The next row of a query, if there is one; the columns below are those of this row.
  bool next();
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::optional<double> real(int column) const;  // none: NULL
  std::string text(int column) const;            // empty for NULL

 private:
  void bind(int index, std::nullptr_t);
  void bind(int index, const std::string& text);
  void bind(int index, const char* text) { bind(index, std::string(text)); }
  template <std::integral Integer>
  void bind(int index, Integer value) {
    check(sqlite3_bind_int64(handle_, index, static_cast<sqlite3_int64>(value)));
  }
  void bind(int index, double value);
  template <class Value>
  void bind(int index, const std::optional<Value>& value) {
    if (value)
      bind(index, *value);
    else
      bind(index, nullptr);
  }
  void check(int code);
  void finish();

  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

// Rolls back unless committed.
class Transaction {
 public:
  // A reading one sees the file in one state, whatever others write to it meanwhile.
  enum class Kind { kWriting, kReading };

  explicit Transaction(Database& database, Kind kind = Kind::kWriting) : database_(database) {
    database_.execute(kind == Kind::kWriting ? "BEGIN IMMEDIATE" : "BEGIN");
  }
  ~Transaction() {
    if (!committed_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    database_.execute("COMMIT");
    committed_ = true;
  }

 private:
  Database& database_;
  bool committed_ = false;
};

}  // namespace convoy
