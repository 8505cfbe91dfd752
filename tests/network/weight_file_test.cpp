#include <QTemporaryDir>
#include <QtTest>
#include <cstring>
#include <limits>

#include "engine/base/atomic_file.h"
#include "engine/base/random.h"
#include "engine/network/weight_file.h"

using namespace convoy;

namespace {

NetworkSpec small_spec() {
  NetworkSpec spec;
  spec.design = {{2, 3}, 3, PaddingMode::kSame};
  spec.in_channels = 1;
  spec.in_height = spec.in_width = 4;
  spec.classes = 2;
  return spec;
}

bool same_bits(const FloatBuffer& a, const FloatBuffer& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) qFatal("the header has no %s", from.c_str());
  return text.replace(at, from.size(), to);
}

}  // namespace

class WeightFileTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  NetworkSpec spec_ = small_spec();
  std::string header_, data_;  // of a good file

  std::filesystem::path path(const char* name) const {
    return folder_.filePath(name).toStdString();
  }

  static std::string whole(const std::string& header, const std::string& data) {
    const std::uint64_t length = header.size();
    std::string content(sizeof length, '\0');
    std::memcpy(content.data(), &length, sizeof length);
    return content + header + data;
  }

  // The message with which a file of that content is refused; empty when it is accepted.
  QString refusal(const std::string& content) const {
    const auto file = path("weights.safetensors");
    write_file_atomically(file, content);
    try {
      static_cast<void>(read_weights(file, spec_));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kData) return "wrong kind of error";
      if (!QString(error.what()).startsWith(QString::fromStdString(file.string())))
        return "no file name";
      return error.what();
    }
    return {};
  }

 private slots:
  void initTestCase() {
    write_weights(path("good.safetensors"), spec_, Parameters::he(spec_, 3));
    const std::string content = read_whole_file(path("good.safetensors"), ErrorKind::kData);
    std::uint64_t length = 0;
    std::memcpy(&length, content.data(), sizeof length);
    header_ = content.substr(sizeof length, length);
    data_ = content.substr(sizeof length + length);
    QCOMPARE(whole(header_, data_), content);
    QVERIFY(refusal(content).isEmpty());
  }

  void round_trip_keeps_every_bit() {
    Parameters parameters = Parameters::he(spec_, 4);
    parameters.conv[0].bias[1] = -0.0f;
    parameters.conv[1].bias[2] = std::numeric_limits<float>::denorm_min();
    parameters.fc_bias[0] = std::numeric_limits<float>::max();
    write_weights(path("trip.safetensors"), spec_, parameters);
    const Parameters back = read_weights(path("trip.safetensors"), spec_);
    for (std::size_t layer = 0; layer < 2; ++layer) {
      QVERIFY(same_bits(back.conv[layer].weight, parameters.conv[layer].weight));
      QVERIFY(same_bits(back.conv[layer].bias, parameters.conv[layer].bias));
    }
    QVERIFY(same_bits(back.fc_weight, parameters.fc_weight));
    QVERIFY(same_bits(back.fc_bias, parameters.fc_bias));
  }

  // What other readers rely on, to the letter.
  void layout() {
    QCOMPARE(
        QByteArray::fromStdString(header_).trimmed(),
        QByteArray(R"({"conv1.weight":{"dtype":"F32","shape":[2,1,3,3],"data_offsets":[0,72]},)"
                   R"("conv1.bias":{"dtype":"F32","shape":[2],"data_offsets":[72,80]},)"
                   R"("conv2.weight":{"dtype":"F32","shape":[3,2,3,3],"data_offsets":[80,296]},)"
                   R"("conv2.bias":{"dtype":"F32","shape":[3],"data_offsets":[296,308]},)"
                   R"("fc.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[308,332]},)"
                   R"("fc.bias":{"dtype":"F32","shape":[2],"data_offsets":[332,340]}})"));
    QCOMPARE(header_.size() % 8, std::size_t{0});
    QCOMPARE(data_.size(), std::size_t{340});
  }

  void order_of_tensors_is_free() {
    // conv2.bias and fc.bias change places in the data.
    const std::string header =
        replaced(replaced(replaced(header_, "[296,308]", "[328,340]"), "[308,332]", "[304,328]"),
                 "[332,340]", "[296,304]");
    std::string data = data_;
    data.replace(296, 8, data_, 332, 8);
    data.replace(304, 24, data_, 308, 24);
    data.replace(328, 12, data_, 296, 12);
    QCOMPARE(refusal(whole(header, data)), QString());
    const Parameters moved = read_weights(path("weights.safetensors"), spec_);
    const Parameters good = read_weights(path("good.safetensors"), spec_);
    QVERIFY(same_bits(moved.conv[1].bias, good.conv[1].bias));
    QVERIFY(same_bits(moved.fc_weight, good.fc_weight));
    QVERIFY(same_bits(moved.fc_bias, good.fc_bias));
  }

  void metadata_is_allowed() {
    QCOMPARE(refusal(whole(replaced(header_, "{", R"({"__metadata__":{"format":"pt"},)"), data_)),
             QString());
  }

  void damages_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QString>("words");
    const auto row = [](const char* name, const std::string& content, const char* words) {
      QTest::newRow(name) << QByteArray::fromStdString(content) << words;
    };
    const auto header_row = [&](const char* name, const char* from, const char* to,
                                const char* words) {
      row(name, whole(replaced(header_, from, to), data_), words);
    };
    row("empty", "", "0 bytes");
    row("seven bytes", "1234567", "7 bytes");
    row("header longer than the file", std::string(8, '\x7f'), "damaged");
    std::string long_header = whole(header_, data_);
    long_header[3] = '\x01';  // 16 MiB more
    row("absurd header", long_header, "damaged");
    row("no header", whole("", data_), "JSON");
    row("no JSON", whole("{\"conv1", data_), "JSON");
    row("no object", whole("[1, 2]", data_), "no JSON object");
    row("deep nesting", whole(std::string(500000, '['), data_), "JSON");
    const std::string nested = std::string(500000, '[') + std::string(500000, ']');
    row("deep but valid", whole(replaced(header_, "\"F32\"", nested), data_), "too deeply");
    row("no text", whole(std::string("{\"\xff\xfe\": 1}"), data_), "JSON");
    row("data cut off", whole(header_, data_.substr(0, 339)), "339 bytes of data");
    row("data too long", whole(header_, data_ + "x"), "341 follow");
    header_row("tensor misnamed", R"("fc.bias")", R"("fc.bios")", "fc.bios");
    row("tensor missing",
        whole(header_.substr(0, header_.find(R"(,"fc.bias")")) + "}", data_.substr(0, 332)),
        "fc.bias: this tensor");
    header_row("tensor too much", "{", R"({"conv3.bias":{},)", "\"conv3.bias\"");
    header_row("tensor twice", R"("fc.bias")", R"("conv1.bias")", "twice");
    header_row("half precision", R"("F32")", R"("F16")", "conv1.weight: its type is \"F16\"");
    header_row("type is a number", R"("F32")", "32", "its type is 32");
    header_row("other shape", "[2,1,3,3]", "[1,2,3,3]", "this network needs [2,1,3,3]");
    header_row("shape of reals", "[2,1,3,3]", "[2.0,1,3,3]", "its shape is");
    header_row("flat shape", "[2,1,3,3]", "[18]", "its shape is [18]");
    header_row("shape is a text", "[2,1,3,3]", R"("2133")", "its shape is");
    header_row("no shape", "\"shape\":[2,1,3,3]", "\"form\":[2,1,3,3]", "no shape");
    header_row("negative offset", "[0,72]", "[-72,0]", "data_offsets");
    header_row("offset of 2^64 - 8", "[0,72]", "[18446744073709551608,64]", "data_offsets");
    header_row("one offset", "[0,72]", "[72]", "data_offsets");
    header_row("offset beyond the data", "[332,340]", "[340,348]", "340 bytes of data");
    header_row("too few bytes", "[0,72]", "[0,68]", "needs 72");
    header_row("overlap", "[80,296]", "[72,288]", "offset 72");
    header_row("hole", "[72,80]", "[76,84]", "offset 76");
    header_row("description is a list",
               R"({"dtype":"F32","shape":[2,1,3,3],"data_offsets":[0,72]})", "[1]",
               "conv1.weight: its description");
    header_row("metadata is a list", "{", R"({"__metadata__":[],)", "__metadata__");
    std::string data = data_;
    const float infinite = -std::numeric_limits<float>::infinity();
    std::memcpy(data.data() + 300, &infinite, sizeof infinite);
    row("infinite", whole(header_, data), "conv2.bias: its element 1 is infinite");
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(data.data() + 0, &nan, sizeof nan);
    row("not a number", whole(header_, data), "conv1.weight: its element 0 is not a number");
  }
  void damages() {
    QFETCH(QByteArray, content);
    QFETCH(QString, words);
    const QString message = refusal(content.toStdString());
    QVERIFY2(message.contains(words), qPrintable(message));
    QVERIFY2(message.size() < 400, qPrintable(message));
  }

  // Any damage is refused or harmless: values may differ, nothing else can.
  void random_damage_never_harms() {
    constexpr std::uint64_t kSeed = 5;
    qInfo("seed %llu", static_cast<unsigned long long>(kSeed));
    Random random(kSeed);
    const std::string good = whole(header_, data_);
    int refused = 0;
    constexpr int kTrials = 600;
    for (int trial = 0; trial < kTrials; ++trial) {
      std::string content = good;
      // Mostly the header, where damage can do harm.
      const std::size_t reach = random.below(4) == 0 ? content.size() : 8 + header_.size();
      for (std::uint64_t i = 0, count = 1 + random.below(4); i < count; ++i) {
        const std::size_t at = random.below(reach);
        switch (random.below(4)) {
          case 0:
            content[at] = static_cast<char>(random.bits());
            break;
          case 1:
            content[at] = static_cast<char>(content[at] ^ (1 << random.below(8)));
            break;
          case 2:
            content[at] = "0123456789[]{},:\"-.eE"[random.below(21)];
            break;
          default:
            content.erase(at, 1);
            content.push_back('\0');
        }
      }
      const QString message = refusal(content);
      QVERIFY2(message.isEmpty() || message.contains("weights.safetensors"), qPrintable(message));
      refused += !message.isEmpty();
    }
    QVERIFY(refused > kTrials / 2);
  }

  void another_network_is_refused() {
    NetworkSpec deeper = spec_;
    deeper.design.kernels = {2, 3};
    deeper.in_height = deeper.in_width = 8;
    QVERIFY_THROWS_EXCEPTION(Error,
                             static_cast<void>(read_weights(path("good.safetensors"), deeper)));
  }

  void missing_file_is_named() {
    try {
      static_cast<void>(read_weights(path("nowhere.safetensors"), spec_));
      QFAIL("read");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kData);
      QVERIFY(QString(error.what()).contains("nowhere.safetensors"));
    }
  }

  void unwritable_place() {
    try {
      write_weights(path("no-folder") / "w.safetensors", spec_, Parameters::zeros(spec_));
      QFAIL("written");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kRun);
    }
  }
};

QTEST_GUILESS_MAIN(WeightFileTest)
#include "weight_file_test.moc"
