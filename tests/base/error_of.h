// Errors that must come, and what they must say.
#pragma once

#include <QTest>
#include <exception>
#include <string>

#include "engine/base/error.h"

namespace convoy::test {

// The message of the Error of `kind` that `work` must throw; else a description of what it did.
template <class Work>
std::string error_of(ErrorKind kind, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.kind() == kind ? error.what()
                                : std::string("(an error of another kind) ") + error.what();
  } catch (const std::exception& error) {
    return std::string("(another exception) ") + error.what();
  }
  return "(no error)";
}

}  // namespace convoy::test

// Fails, showing the message, if it lacks the text.
#define VERIFY_CONTAINS(message, text)                                               \
  do {                                                                               \
    const std::string found_message = (message);                                     \
    QVERIFY2(found_message.find(text) != std::string::npos,                          \
             ("\"" + std::string(text) + "\" is not in: " + found_message).c_str()); \
  } while (false)
