// Which floor of the house may include which: includes point downwards only, and Qt stays upstairs.
#pragma once

#include <QString>
#include <QStringList>

namespace house {

// Reads every #include line of the sources under app/, ui/, engine/ and datasets/ of `root` and
// returns one line for each that breaks a rule: "<file>:<line>: <what is wrong>". Sorted by file.
QStringList include_violations(const QString& root);

// The header that `source` implements, engine/conv/im2col.h of engine/conv/im2col.cpp; empty where
// there is none. A source includes it before all else, so that to compile the one is to see that
// the other needs nothing before it.
QString own_header(const QString& root, const QString& source);

// The sources (.h, .cpp) under these folders of `root`, as sorted paths relative to it.
QStringList source_files(const QString& root, const QStringList& folders);

}  // namespace house
