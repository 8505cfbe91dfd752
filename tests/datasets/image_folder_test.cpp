// Folders of class folders with pictures.
#include "datasets/image_folder.h"

#include <QTemporaryDir>
#include <QtTest>

#include "tests/datasets/test_files.h"

using namespace convoy;
using namespace convoy::test;

class ImageFolderTest : public QObject {
  Q_OBJECT

  std::unique_ptr<QTemporaryDir> temporary_;
  fs::path folder_;

  DatasetSpec spec(std::optional<int> image_size = {}) const {
    DatasetSpec spec;
    spec.kind = DatasetKind::kFolder;
    spec.path = folder_.string();
    spec.image_size = image_size;
    return spec;
  }
  std::string error() const {
    return data_error_of([&] { load_dataset(spec(), 0); });
  }
  void write_parts() const {
    for (const char* part : {"train", "test"})
      for (int i = 0; i < 2; ++i) {
        const std::string name = "picture" + std::to_string(i) + ".png";
        const auto value = static_cast<std::uint8_t>(10 * i);
        write_file(folder_ / part / "ant" / name, png(32, 32, 3, value));
        write_file(folder_ / part / "bee" / name, png(32, 32, 3, value + 100));
      }
  }
  static int pixel(const ImageSet& set, int image, int channel, int row, int column) {
    return set.image(
        image)[static_cast<std::size_t>((channel * set.height + row) * set.width + column)];
  }

 private slots:
  void init() {
    temporary_ = std::make_unique<QTemporaryDir>();
    QVERIFY(temporary_->isValid());
    folder_ = fs::path(temporary_->path().toStdString()) / "insects";
  }

  void readsPartsOneClassInTurn() {
    write_parts();
    write_file(folder_ / "train" / "ant" / "notes.txt", "passed over");
    write_file(folder_ / "train" / "ant" / ".hidden.png", "passed over");
    const Dataset dataset = load_dataset(spec(), 0);
    QCOMPARE(dataset.name, std::string("insects"));
    QCOMPARE(dataset.class_names, (std::vector<std::string>{"ant", "bee"}));
    QCOMPARE(dataset.train.labels, (std::vector<std::uint16_t>{0, 1, 0, 1}));
    QCOMPARE(dataset.test.count(), 4);
    QCOMPARE(dataset.train.channels, 3);
    QCOMPARE(dataset.train.height, 32);
    for (int channel = 0; channel < 3; ++channel) {
      QCOMPARE(pixel(dataset.train, 1, channel, 5, 0), 240);
      QCOMPARE(pixel(dataset.train, 1, channel, 5, 31), 100);
      QCOMPARE(pixel(dataset.train, 2, channel, 5, 31), 10);
    }
  }

  void withoutTestEveryFifthPictureIsATest() {
    for (int i = 0; i < 11; ++i) {
      const std::string name = std::string(1, static_cast<char>('a' + i)) + ".png";
      write_file(folder_ / "ant" / name, png(8, 8, 3, static_cast<std::uint8_t>(i)));
      write_file(folder_ / "bee" / name, png(8, 8, 3, static_cast<std::uint8_t>(100 + i)));
    }
    const Dataset dataset = load_dataset(spec(8), 0);
    QCOMPARE(dataset.train.count(), 18);
    QCOMPARE(dataset.test.count(), 4);
    QCOMPARE(pixel(dataset.test, 0, 0, 0, 7), 4);
    QCOMPARE(pixel(dataset.test, 1, 0, 0, 7), 104);
    QCOMPARE(pixel(dataset.test, 2, 0, 0, 7), 9);
    QCOMPARE(pixel(dataset.train, 8, 0, 0, 7), 5);
  }

  void limitsKeepClassesEven() {
    write_parts();
    DatasetSpec limits = spec();
    limits.train_limit = 2;
    limits.test_limit = 50;
    const Dataset dataset = load_dataset(limits, 0);
    QCOMPARE(dataset.train.labels, (std::vector<std::uint16_t>{0, 1}));
    QCOMPARE(dataset.test.count(), 4);
  }

  void resizesGreyTransparentAndJpegPictures() {
    write_parts();
    write_file(folder_ / "train" / "ant" / "0.png", png(50, 20, 1, 60));       // grey
    write_file(folder_ / "train" / "ant" / "1.png", png(4, 4, 4, 60, 0));      // clear
    write_file(folder_ / "train" / "ant" / "2.PNG", png(16, 16, 2, 60, 128));  // half clear grey
    write_file(folder_ / "train" / "ant" / "3.JPEG", jpeg(64, 48, 60));
    write_file(folder_ / "train" / "ant" / "4.png", png(1, 1, 3, 60));
    const Dataset dataset = load_dataset(spec(16), 0);
    QCOMPARE(dataset.train.width, 16);
    const int ant[] = {0, 2, 4, 5, 6};  // the bees end after two turns
    for (int channel = 0; channel < 3; ++channel) {
      QCOMPARE(pixel(dataset.train, ant[0], channel, 3, 1), 240);
      QCOMPARE(pixel(dataset.train, ant[0], channel, 3, 14), 60);
      QCOMPARE(pixel(dataset.train, ant[1], channel, 3, 14), 255);
      QCOMPARE(pixel(dataset.train, ant[2], channel, 3, 14), 157);  // (60*128 + 255*127) / 255
      QVERIFY(std::abs(pixel(dataset.train, ant[3], channel, 3, 1) - 240) <= 3);
      QVERIFY(std::abs(pixel(dataset.train, ant[3], channel, 3, 14) - 60) <= 3);
      QCOMPARE(pixel(dataset.train, ant[4], channel, 3, 14), 240);
    }
  }

  void refusesWrongLayouts() {
    VERIFY_CONTAINS(error(), "insects: no such folder; expected train/<class>/*.png");
    fs::create_directories(folder_ / "ant");
    VERIFY_CONTAINS(error(), "holds 1 class folder(s); expected");
    fs::create_directories(folder_ / "bee");
    VERIFY_CONTAINS(error(), "ant: the class folder holds no .png, .jpg or .jpeg file");
    for (const char* name : {"ant", "bee"}) write_file(folder_ / name / "a.png", png(8, 8, 3, 0));
    VERIFY_CONTAINS(error(), "the test part would be empty");
    fs::remove_all(folder_);
    write_parts();
    fs::remove_all(folder_ / "test");
    VERIFY_CONTAINS(error(), "holds train/ but no test/");
    write_parts();
    write_file(folder_ / "test" / "wasp" / "a.png", png(8, 8, 3, 0));
    VERIFY_CONTAINS(error(), "wasp: the class is not in train/");
    const std::string no_path = error_of(ErrorKind::kExperiment, [] {
      load_dataset({DatasetKind::kFolder, "", {}, {}, true, {}}, 0);
    });
    VERIFY_CONTAINS(no_path, "/dataset/path: is empty");
    const std::string size = error_of(ErrorKind::kExperiment, [&] { load_dataset(spec(4), 0); });
    VERIFY_CONTAINS(size, "/dataset/image_size: 4 pixels; valid are 8 to 1024");
  }

  void refusesDamagedPictures() {
    write_parts();
    const fs::path file = folder_ / "train" / "bee" / "picture1.png";
    const std::string good = png(32, 32, 3, 7), photo = jpeg(32, 32, 7);
    const auto error_with = [&](const std::string& content) {
      write_file(file, content);
      const std::string message = error();
      return message.starts_with(file.string()) ? message : "(file not named) " + message;
    };
    VERIFY_CONTAINS(error_with(""),
                    "byte 0: neither a PNG nor a JPEG picture: the file of 0 bytes");
    VERIFY_CONTAINS(error_with("GIF89a"), "byte 0: neither a PNG nor a JPEG");
    VERIFY_CONTAINS(error_with(good.substr(0, 50)), "byte 33: PNG chunk IDAT tells of");
    VERIFY_CONTAINS(error_with(good.substr(0, good.size() - 12)), "ends before its IEND chunk");
    VERIFY_CONTAINS(error_with(good + "x"), "1 byte behind the end of the PNG");
    std::string changed = good;
    changed[45] ^= 1;
    VERIFY_CONTAINS(error_with(changed), "byte 33: PNG chunk IDAT does not match its checksum");
    VERIFY_CONTAINS(error_with(photo.substr(0, photo.size() - 20)),
                    "the JPEG ends before its end-of-image marker");
    VERIFY_CONTAINS(error_with(photo.substr(0, 3)), "the JPEG ends before its end-of-image marker");
    changed = photo;
    changed[4] = changed[5] = 0;
    VERIFY_CONTAINS(error_with(changed), "byte 4: JPEG segment of 0 bytes");
    changed = photo;
    changed[2 + 2 + 16] = 0;
    VERIFY_CONTAINS(error_with(changed), "byte 20: expected a JPEG marker, found byte 0");
    changed = photo;
    changed[changed.find("\xff\xc4") + 5] = '\xff';
    VERIFY_CONTAINS(error_with(changed), "JPEG Huffman table of");
    VERIFY_CONTAINS(error_with(std::string("\xff\xd8\xff\xd9", 4)),
                    "cannot read the picture's header");
  }

  // Headers with valid checksums that tell of far more than the file can hold.
  void refusesAbsurdlyLargePictures() {
    write_parts();
    const auto huge = [](std::uint32_t width, std::uint32_t height) {
      // The checksums of IHDR for these sizes (colour, 8 bits), as any PNG writer computes them.
      std::string header = "IHDR" + big_endian(width) + big_endian(height);
      header += std::string("\x08\x02\x00\x00\x00", 5);
      const auto chunk = [](const std::string& typed) {
        std::uint32_t crc = 0xffffffff;
        for (const char c : typed) {
          crc ^= static_cast<unsigned char>(c);
          for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
        }
        return big_endian(static_cast<std::uint32_t>(typed.size()) - 4) + typed + big_endian(~crc);
      };
      return "\x89PNG\r\n\x1a\n" + chunk(header) + chunk("IDATx") + chunk("IEND");
    };
    const fs::path file = folder_ / "test" / "ant" / "picture0.png";
    write_file(file, huge(10000, 10000));
    VERIFY_CONTAINS(error(), "a picture of 10000x10000 pixels; valid are up to 64000000 pixels");
    write_file(file, huge(200, 200));
    VERIFY_CONTAINS(error(), "a picture of 200x200 pixels does not fit into a file of");
    write_file(file, huge(100'000, 100'000));
    VERIFY_CONTAINS(error(), "cannot read the picture's header");
    write_file(file, huge(32, 32));
    VERIFY_CONTAINS(error(), "cannot decode the picture");
  }
};

QTEST_APPLESS_MAIN(ImageFolderTest)
#include "image_folder_test.moc"
