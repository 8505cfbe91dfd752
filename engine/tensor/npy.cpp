#include "engine/tensor/npy.h"

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "engine/base/atomic_file.h"

namespace convoy {
namespace {

static_assert(std::endian::native == std::endian::little, ".npy data is copied as it is");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kLongestHeader = 1 << 16;  // NumPy refuses longer ones too
constexpr std::size_t kMostDimensions = 32;      // as NumPy
constexpr std::size_t kMostElements = std::size_t{1} << 40;
constexpr const char* kValid =
    "; a .npy file of little-endian float32 (\"<f4\") in C order is needed";

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t n = bytes.size(); n-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[n]);
  return value;
}

// Element count of a shape; nothing when it passes kMostElements.
std::optional<std::size_t> element_count(const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (std::size_t side : shape) {
    if (side != 0 && count > kMostElements / side) return std::nullopt;
    count *= side;
  }
  return count;
}

// The header is a Python dictionary of exactly three keys. This reads that much of Python's syntax
// and nothing else.
class HeaderParser {
 public:
  HeaderParser(const std::string& file, std::string_view text) : file_(file), text_(text) {}

  std::vector<std::size_t> parse() {
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr")
        descr();
      else if (key == "fortran_order")
        fortran_order();
      else if (key == "shape")
        shape();
      else
        fail("has the unknown key \"" + key + "\"");
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) fail("goes on after its closing brace");
    if (!has_descr_ || !has_order_ || !has_shape_)
      fail("lacks one of the keys \"descr\", \"fortran_order\" and \"shape\"");
    return shape_;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kData, file_, "the .npy header " + what + kValid);
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) {
      std::string what = "is malformed: '";
      what += c;
      fail(what + "' expected at its byte " + std::to_string(at_));
    }
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  std::string quoted() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : ' ';
    if (quote != '\'' && quote != '"')
      fail("is malformed: a string expected at its byte " + std::to_string(at_));
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("has a string without an end");
    const std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }
  void once(bool* seen, const char* key) {
    if (*seen) fail(std::string("has the key \"") + key + "\" twice");
    *seen = true;
  }

  void descr() {
    once(&has_descr_, "descr");
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[') fail("says that the elements are records");
    const std::string type = quoted();
    if (type == ">f4") fail("says that the numbers are big-endian (\">f4\")");
    if (type != "<f4") fail("says that the elements are \"" + type + "\"");
  }
  void fortran_order() {
    once(&has_order_, "fortran_order");
    if (accept_word("True")) fail("says that the array is in Fortran order");
    if (!accept_word("False")) fail("is malformed: fortran_order must be True or False");
  }
  void shape() {
    once(&has_shape_, "shape");
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::size_t side = 0;
      const char* const first = text_.data() + at_;
      const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), side);
      if (error != std::errc())
        fail("is malformed: a size expected at its byte " + std::to_string(at_));
      at_ += static_cast<std::size_t>(end - first);
      shape_.push_back(side);
      if (shape_.size() > kMostDimensions)
        fail("names more than " + std::to_string(kMostDimensions) + " dimensions");
      if (!accept(',')) {
        expect(')');
        if (shape_.size() == 1) fail("is malformed: a shape of one number lacks its comma");
        break;
      }
    }
    if (!element_count(shape_)) fail("names the absurd shape " + shape_text(shape_));
  }

  const std::string file_;
  const std::string_view text_;
  std::size_t at_ = 0;
  bool has_descr_ = false, has_order_ = false, has_shape_ = false;
  std::vector<std::size_t> shape_;
};

}  // namespace

NpyArray read_npy(const std::filesystem::path& path) {
  const std::string file = path.string();
  const std::string content = read_whole_file(path, ErrorKind::kData);
  const std::string_view bytes = content;
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorKind::kData, file, what + kValid);
  };

  if (!bytes.starts_with(kMagic)) fail("does not begin as a .npy file does");
  if (bytes.size() < 8) fail("ends after " + std::to_string(bytes.size()) + " bytes");
  const int major = static_cast<unsigned char>(bytes[6]);
  const int minor = static_cast<unsigned char>(bytes[7]);
  if (major < 1 || major > 3 || minor != 0)
    fail("is of .npy format version " + std::to_string(major) + "." + std::to_string(minor) +
         ", not 1.0 to 3.0");
  const std::size_t length_size = major == 1 ? 2 : 4, header_begin = 8 + length_size;
  if (bytes.size() < header_begin) fail("ends after " + std::to_string(bytes.size()) + " bytes");
  const std::size_t header_size = little_endian(bytes.substr(8, length_size));
  if (header_size > kLongestHeader)
    fail("says that its header has " + std::to_string(header_size) + " bytes, more than " +
         std::to_string(kLongestHeader));
  if (bytes.size() - header_begin < header_size)
    fail("ends within its header, after " + std::to_string(bytes.size()) + " bytes");

  NpyArray array;
  array.shape = HeaderParser(file, bytes.substr(header_begin, header_size)).parse();
  const std::string_view data = bytes.substr(header_begin + header_size);
  const std::size_t expected = *element_count(array.shape) * sizeof(float);
  if (data.size() != expected)
    fail("holds " + std::to_string(data.size()) + " bytes of data, but the shape " +
         shape_text(array.shape) + " needs " + std::to_string(expected));
  array.values.resize(expected / sizeof(float));
  if (expected > 0) std::memcpy(array.values.data(), data.data(), expected);
  return array;
}

void write_npy(const std::filesystem::path& path, const std::vector<std::size_t>& shape,
               const float* values) {
  const auto count = element_count(shape);
  if (!count || shape.size() > kMostDimensions)
    throw Error(ErrorKind::kRun, path.string(),
                "an array of the shape " + shape_text(shape) + " cannot be written");
  std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape_text(shape) + ", }";
  // The data begins on a multiple of 64 bytes; the padding ends in a newline.
  const std::size_t fixed = kMagic.size() + 4 + header.size() + 1;
  header.append((64 - fixed % 64) % 64, ' ').push_back('\n');
  std::string content(kMagic);
  content += {'\x01', '\x00', static_cast<char>(header.size() & 0xff),
              static_cast<char>(header.size() >> 8)};
  content += header;
  const std::size_t data_begin = content.size();
  content.resize(data_begin + *count * sizeof(float));
  if (*count > 0) std::memcpy(content.data() + data_begin, values, *count * sizeof(float));
  write_file_atomically(path, content);
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "(";
  for (std::size_t n = 0; n < shape.size(); ++n)
    text += (n > 0 ? ", " : "") + std::to_string(shape[n]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

}  // namespace convoy
