#include "datasets/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "datasets/data_file.h"

namespace convoy {

struct GzipReader::State {
  Source source;
  std::filesystem::path path;
  z_stream stream{};
  std::string_view piece;      // what the source gave last
  std::uint64_t consumed = 0;  // compressed bytes before `piece`
  bool at_end = false;

  std::uint64_t offset() const { return consumed + piece.size() - stream.avail_in; }

  // Has input for zlib; false at the end of the source.
  bool fill() {
    if (stream.avail_in > 0) return true;
    consumed += piece.size();
    piece = source();
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));  // read only
    stream.avail_in = static_cast<uInt>(piece.size());
    return !piece.empty();
  }
};

GzipReader::GzipReader(Source source, std::filesystem::path path)
    : state_(std::make_unique<State>()) {
  constexpr int kGzipOnly = 16;
  state_->source = std::move(source);
  state_->path = std::move(path);
  if (inflateInit2(&state_->stream, MAX_WBITS + kGzipOnly) != Z_OK)
    throw Error(ErrorKind::kRun, state_->path.string(), "not enough memory to decompress");
}

GzipReader::~GzipReader() {
  inflateEnd(&state_->stream);
}

std::size_t GzipReader::read(char* out, std::size_t count) {
  State& s = *state_;
  std::size_t done = 0;
  while (done < count && !s.at_end) {
    if (!s.fill())
      refuse(s.path, s.offset(), "the gzip data ends in the middle; the file is truncated");
    const std::size_t room = std::min<std::size_t>(count - done, 1 << 30);
    s.stream.next_out = reinterpret_cast<Bytef*>(out + done);
    s.stream.avail_out = static_cast<uInt>(room);
    const int result = inflate(&s.stream, Z_NO_FLUSH);
    done += room - s.stream.avail_out;
    if (result == Z_STREAM_END) {
      s.at_end = true;
      const std::uint64_t end = s.offset();
      if (s.fill()) refuse(s.path, end, "more data behind the end of the gzip data");
    } else if (result != Z_OK) {
      refuse(s.path, s.offset(),
             std::string("damaged gzip data: ") + (s.stream.msg ? s.stream.msg : "no valid block"));
    }
  }
  return done;
}

namespace {

GzipReader::Source memory_source(std::string_view bytes) {
  return [bytes]() mutable {
    const std::string_view piece = bytes.substr(0, 1 << 20);
    bytes.remove_prefix(piece.size());
    return piece;
  };
}

}  // namespace

std::string gunzip_start(std::string_view gzip, const std::filesystem::path& path,
                         std::size_t count) {
  GzipReader reader(memory_source(gzip), path);
  std::string out(count, '\0');
  out.resize(reader.read(out.data(), count));
  return out;
}

std::string gunzip(std::string_view gzip, const std::filesystem::path& path, std::size_t max_size) {
  GzipReader reader(memory_source(gzip), path);
  std::string out;
  std::array<char, 1 << 16> piece;
  while (const std::size_t got = reader.read(piece.data(), piece.size())) {
    if (got > max_size - out.size())
      refuse(path, "unpacks to more than the " + bytes_text(max_size) + " that it may hold");
    out.append(piece.data(), got);
  }
  return out;
}

}  // namespace convoy
