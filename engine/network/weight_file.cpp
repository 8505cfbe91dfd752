// The format, https://github.com/huggingface/safetensors: the header's length as 8 little-endian
// bytes; the header as JSON, {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}};
// the data, which the offsets count from and the tensors fill without holes. The header may also
// have "__metadata__", texts by name.
#include "engine/network/weight_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string>
#include <string_view>

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"

namespace convoy {

namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

constexpr std::size_t kLengthBytes = 8;
// Far more than any network here needs; the format allows 100 MB.
constexpr std::uint64_t kLargestHeader = std::uint64_t{1} << 20;
constexpr int kDeepest = 8;
constexpr const char* kMetadata = "__metadata__";

struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::uint64_t bytes() const {
    return std::accumulate(shape.begin(), shape.end(), std::uint64_t{sizeof(float)},
                           std::multiplies<>());
  }
};

std::uint64_t size(int value) {
  return static_cast<std::uint64_t>(value);
}

// The tensors of a network in the file's order.
std::vector<Tensor> tensors_of(const NetworkSpec& spec) {
  std::vector<Tensor> tensors;
  for (const ConvProblem& p : spec.conv_problems(1)) {
    const std::string name = "conv" + std::to_string(tensors.size() / 2 + 1);
    tensors.push_back(
        {name + ".weight",
         {size(p.out_channels), size(p.in_channels), size(p.kernel_height), size(p.kernel_width)}});
    tensors.push_back({name + ".bias", {size(p.out_channels)}});
  }
  tensors.push_back({"fc.weight", {size(spec.classes), spec.features()}});
  tensors.push_back({"fc.bias", {size(spec.classes)}});
  return tensors;
}

// Their values, in the same order; for Parameters and const Parameters.
template <class SomeParameters>
auto buffers_of(SomeParameters& parameters) {
  std::vector<decltype(&parameters.fc_weight)> buffers;
  for (auto& layer : parameters.conv) {
    buffers.push_back(&layer.weight);
    buffers.push_back(&layer.bias);
  }
  buffers.push_back(&parameters.fc_weight);
  buffers.push_back(&parameters.fc_bias);
  return buffers;
}

// A JSON value in an error message: short, and whatever bytes a damaged file holds.
std::string json_text(const Json& value) {
  const std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

// A weight file whose structure has been checked against the network's.
class Reader {
 public:
  Reader(const std::filesystem::path& path, std::vector<Tensor> tensors)
      : path_(path.string()),
        content_(read_whole_file(path, ErrorKind::kData)),
        tensors_(std::move(tensors)) {
    read_header();
    check_names();
    for (const Tensor& tensor : tensors_) begins_.push_back(check_entry(tensor));
    check_cover();
  }

  // The values of the tensor with that index.
  void copy(std::size_t index, FloatBuffer& values) const {
    std::memcpy(values.data(), data_.data() + begins_[index], tensors_[index].bytes());
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]))
        refuse(tensors_[index].name, "its element " + std::to_string(i) + " is " +
                                         (std::isnan(values[i]) ? "not a number" : "infinite"));
  }

 private:
  [[noreturn]] void refuse(const std::string& tensor, const std::string& what) const {
    throw Error(ErrorKind::kData, tensor.empty() ? path_ : path_ + ": " + tensor, what);
  }

  void read_header() {
    if (content_.size() < kLengthBytes)
      refuse("", "it has only " + std::to_string(content_.size()) +
                     " bytes; a safetensors file begins with the 8-byte length of its header");
    std::uint64_t length = 0;
    std::memcpy(&length, content_.data(), kLengthBytes);
    const std::size_t rest = content_.size() - kLengthBytes;
    if (length > kLargestHeader || length > rest)
      refuse("", "its header should have " + std::to_string(length) + " bytes; it can have " +
                     std::to_string(std::min<std::uint64_t>(rest, kLargestHeader)) +
                     " at most, so this is no safetensors file or it is damaged");
    const std::string_view text(content_.data() + kLengthBytes, length);
    data_ = std::string_view(content_).substr(kLengthBytes + length);

    // nlohmann-json keeps the last of equal keys, and works on nested values by recursion, which a
    // damaged file could make too deep for the stack.
    std::set<std::string> names;
    std::string twice;
    bool too_deep = false;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
      too_deep = too_deep || depth > kDeepest;
      if (too_deep) return false;
      if (depth == 1 && event == Json::parse_event_t::key &&
          !names.insert(parsed.get<std::string>()).second)
        twice = parsed.get<std::string>();
      return true;
    };
    try {
      header_ = Json::parse(text, watch);
    } catch (const Json::exception& error) {
      refuse("", std::string("its header is no valid JSON: ") + error.what());
    }
    if (too_deep) refuse("", "its header is nested too deeply");
    if (!header_.is_object()) refuse("", "its header is no JSON object");
    if (!twice.empty()) refuse("", "its header names " + json_text(twice) + " twice");
  }

  void check_names() const {
    for (const auto& [name, entry] : header_.items()) {
      if (name == kMetadata) {
        if (!entry.is_object() || !std::all_of(entry.begin(), entry.end(),
                                               [](const Json& value) { return value.is_string(); }))
          refuse(kMetadata, "it is " + json_text(entry) + "; it must be an object of texts");
        continue;
      }
      if (std::none_of(tensors_.begin(), tensors_.end(),
                       [&, &found = name](const Tensor& tensor) { return tensor.name == found; }))
        refuse("", "it holds the tensor " + json_text(name) + ", which this network does not have");
    }
    for (const Tensor& tensor : tensors_)
      if (!header_.contains(tensor.name))
        refuse(tensor.name, "this tensor of the network is missing");
  }

  // Type, shape and length; returns where in the data it begins.
  std::uint64_t check_entry(const Tensor& tensor) const {
    const Json& entry = header_.at(tensor.name);
    if (!entry.is_object()) refuse(tensor.name, "its description is no JSON object");
    const auto field = [&](const char* key) -> const Json& {
      const auto found = entry.find(key);
      if (found == entry.end()) refuse(tensor.name, std::string("it has no ") + key);
      return *found;
    };
    if (field("dtype") != "F32")
      refuse(tensor.name, "its type is " + json_text(field("dtype")) + "; it must be \"F32\"");
    const Json& shape = field("shape");
    const auto is_size = [](const Json& value) { return value.is_number_unsigned(); };
    if (!shape.is_array() || !std::all_of(shape.begin(), shape.end(), is_size) ||
        shape != Json(tensor.shape))
      refuse(tensor.name, "its shape is " + json_text(shape) + "; this network needs " +
                              json_text(Json(tensor.shape)));
    const Json& offsets = field("data_offsets");
    if (!offsets.is_array() || offsets.size() != 2 || !is_size(offsets[0]) || !is_size(offsets[1]))
      refuse(tensor.name, "its data_offsets are " + json_text(offsets) +
                              "; they must be two non-negative integers");
    const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
    if (begin > end || end > data_.size())
      refuse(tensor.name, "its data_offsets are " + json_text(offsets) + ", but the file has " +
                              std::to_string(data_.size()) + " bytes of data");
    if (end - begin != tensor.bytes())
      refuse(tensor.name, "it has " + std::to_string(end - begin) + " bytes of data; its shape " +
                              json_text(shape) + " needs " + std::to_string(tensor.bytes()));
    return begin;
  }

  // The tensors fill the data without holes and overlaps.
  void check_cover() const {
    std::vector<std::size_t> order(tensors_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return begins_[a] < begins_[b]; });
    std::uint64_t end = 0;
    for (const std::size_t index : order) {
      if (begins_[index] != end)
        refuse(tensors_[index].name, "its data begin at offset " + std::to_string(begins_[index]) +
                                         ", but those before it end at " + std::to_string(end));
      end += tensors_[index].bytes();
    }
    if (end != data_.size())
      refuse("", "its tensors take " + std::to_string(end) + " bytes, but " +
                     std::to_string(data_.size()) + " follow the header");
  }

  std::string path_;
  std::string content_;
  std::string_view data_;  // of content_
  Json header_;
  std::vector<Tensor> tensors_;
  std::vector<std::uint64_t> begins_;  // offsets into data_, one a tensor
};

}  // namespace

Parameters read_weights(const std::filesystem::path& path, const NetworkSpec& spec) {
  Parameters parameters = Parameters::zeros(spec);
  const Reader reader(path, tensors_of(spec));
  const auto buffers = buffers_of(parameters);
  for (std::size_t i = 0; i < buffers.size(); ++i) reader.copy(i, *buffers[i]);
  return parameters;
}

void write_weights(const std::filesystem::path& path, const NetworkSpec& spec,
                   const Parameters& parameters) {
  const std::vector<Tensor> tensors = tensors_of(spec);
  nlohmann::ordered_json header;
  std::uint64_t begin = 0;
  for (const Tensor& tensor : tensors) {
    const std::uint64_t end = begin + tensor.bytes();
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // readers may map the data, so they are aligned

  const std::uint64_t length = text.size();
  std::string content;
  content.reserve(kLengthBytes + length + begin);
  content.append(reinterpret_cast<const char*>(&length), kLengthBytes);
  content += text;
  for (const FloatBuffer* values : buffers_of(parameters))
    content.append(reinterpret_cast<const char*>(values->data()), values->size() * sizeof(float));
  write_file_atomically(path, content);
}

}  // namespace convoy
