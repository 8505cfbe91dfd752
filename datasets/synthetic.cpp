#include "datasets/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

#include "engine/base/random.h"

namespace convoy {
namespace {

constexpr int kSide = 32;
constexpr int kPlane = kSide * kSide;
constexpr int kClasses = 10;
constexpr std::array<const char*, kClasses> kClassNames = {
    "disc", "ring", "triangle", "square", "cross", "star", "stripes", "checks", "dots", "target"};

using Colour = std::array<float, 3>;

struct Point {
  float x, y;
};

Point rotated(Point p, float cosine, float sine) {
  return {cosine * p.x + sine * p.y, cosine * p.y - sine * p.x};
}

// SplitMix64 (Steele, Lea and Flood 2014): turns neighbouring numbers into unrelated seeds.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

float between(Random& random, float low, float high) {
  return static_cast<float>(random.uniform(low, high));
}

float luminance(const Colour& c) {
  return 0.30f * c[0] + 0.59f * c[1] + 0.11f * c[2];
}

Colour random_colour(Random& random) {
  return {between(random, 0, 255), between(random, 0, 255), between(random, 0, 255)};
}

// Background and foreground, far enough apart in brightness to be told apart; either may be the
// brighter one.
std::pair<Colour, Colour> contrasting_colours(Random& random) {
  for (;;) {
    const Colour background = random_colour(random);
    const Colour foreground = random_colour(random);
    if (std::abs(luminance(foreground) - luminance(background)) > 105)
      return {background, foreground};
  }
}

// Signed distances in pixels, negative inside (after I. Quilez, "2D distance functions").
float box_distance(Point p, float half_width, float half_height) {
  const float x = std::abs(p.x) - half_width;
  const float y = std::abs(p.y) - half_height;
  return std::hypot(std::max(x, 0.0f), std::max(y, 0.0f)) + std::min(std::max(x, y), 0.0f);
}

float triangle_distance(Point p, float radius) {
  constexpr float k = 0.8660254f;  // sine of 60 degrees
  return std::max({p.y, k * p.x - 0.5f * p.y, -k * p.x - 0.5f * p.y}) - 0.5f * radius;
}

float star_distance(Point p, float radius) {
  constexpr float kSector = 2 * std::numbers::pi_v<float> / 5;
  float angle = std::atan2(p.y, p.x);
  angle = std::abs(angle - kSector * std::round(angle / kSector));
  // Within half a sector the outline is the straight line from the tip to the notch.
  const float length = std::hypot(p.x, p.y);
  const Point q = {length * std::cos(angle), length * std::sin(angle)};
  constexpr float kNotch = 0.42f;
  const Point notch = {kNotch * radius * 0.80901699f, kNotch * radius * 0.58778525f};
  const Point along = {notch.x - radius, notch.y};
  return ((q.x - radius) * -along.y + q.y * along.x) / -std::hypot(along.x, along.y);
}

// The object of one picture: how much of the foreground colour a pixel takes, 0 to 1.
class Figure {
 public:
  Figure(Random& random, int label) : label_(label) {
    const float angle = between(random, 0, 2 * std::numbers::pi_v<float>);
    cosine_ = std::cos(angle);
    sine_ = std::sin(angle);
    centre_ = {between(random, 12, 20), between(random, 12, 20)};
    radius_ = between(random, 9, 12);
    // Textures fill a patch of random outline, so that the outline says nothing.
    frequency_ = 2 * std::numbers::pi_v<float> / between(random, 4.5f, 6.5f);
    phase_ = between(random, 0, 2 * std::numbers::pi_v<float>);
    patch_width_ = between(random, 9, 13);
    patch_height_ = between(random, 9, 13);
  }

  float cover(int row, int column) const {
    const Point p =
        rotated({static_cast<float>(column) - centre_.x, static_cast<float>(row) - centre_.y},
                cosine_, sine_);
    const float length = std::hypot(p.x, p.y);
    switch (label_) {
      case 0:
        return edge(length - 0.85f * radius_);
      case 1:
        return edge(std::abs(length - 0.8f * radius_) - 0.2f * radius_);
      case 2:
        return edge(triangle_distance(p, 1.15f * radius_));
      case 3:
        return edge(box_distance(p, 0.75f * radius_, 0.75f * radius_));
      case 4:
        return edge(std::min(box_distance(p, radius_, 0.28f * radius_),
                             box_distance(p, 0.28f * radius_, radius_)));
      case 5:
        return edge(star_distance(p, 1.2f * radius_));
      default:
        break;
    }
    const float patch = edge(box_distance(p, patch_width_ - 3, patch_height_ - 3) - 3);
    return patch <= 0 ? 0.0f : patch * texture(p, length);
  }

 private:
  static float edge(float distance) { return std::clamp(0.5f - distance, 0.0f, 1.0f); }

  float texture(Point p, float length) const {
    const float u = std::sin(frequency_ * p.x + phase_);
    switch (label_) {
      case 6:
        return std::clamp(0.5f + 1.5f * u, 0.0f, 1.0f);
      case 7:
        return std::clamp(0.5f + 2.0f * u * std::sin(frequency_ * p.y + phase_), 0.0f, 1.0f);
      case 8: {  // dots on a square lattice
        const float wave = u + std::sin(frequency_ * p.y + phase_);
        return std::clamp(2.0f * (wave - 0.6f), 0.0f, 1.0f);
      }
      default:
        return std::clamp(0.5f + 1.5f * std::sin(frequency_ * length + phase_), 0.0f, 1.0f);
    }
  }

  int label_;
  Point centre_;
  float cosine_, sine_, radius_, frequency_, phase_, patch_width_, patch_height_;
};

// A thin bar across the background, clutter that every class has.
struct Bar {
  Point centre;
  float cosine, sine, half_length, half_width;
  Colour colour;

  Bar(Random& random, const Colour& background) {
    centre = {between(random, 0, kSide), between(random, 0, kSide)};
    const float angle = between(random, 0, std::numbers::pi_v<float>);
    cosine = std::cos(angle);
    sine = std::sin(angle);
    half_length = between(random, 2, 6);
    half_width = between(random, 0.6f, 1.4f);
    const Colour other = random_colour(random);
    for (int c = 0; c < 3; ++c) colour[c] = 0.6f * background[c] + 0.4f * other[c];
  }

  float cover(int row, int column) const {
    const Point p = rotated(
        {static_cast<float>(column) - centre.x, static_cast<float>(row) - centre.y}, cosine, sine);
    return std::clamp(0.5f - box_distance(p, half_length, half_width), 0.0f, 1.0f);
  }
};

void draw(Random& random, int label, std::uint8_t* pixels) {
  const auto [background, foreground] = contrasting_colours(random);
  // The background runs slightly towards another colour across the picture.
  const Colour far = random_colour(random);
  const float angle = between(random, 0, 2 * std::numbers::pi_v<float>);
  const Point slope = {std::cos(angle) / kSide, std::sin(angle) / kSide};
  const std::array<Bar, 3> bars = {Bar(random, background), Bar(random, background),
                                   Bar(random, background)};
  const Figure figure(random, label);
  const float gain = between(random, 0.7f, 1.1f);
  const float noise = between(random, 2, 8);

  for (int row = 0; row < kSide; ++row) {
    for (int column = 0; column < kSide; ++column) {
      const float way = 0.25f * (slope.x * static_cast<float>(column - kSide / 2) +
                                 slope.y * static_cast<float>(row - kSide / 2) + 0.5f);
      Colour colour;
      for (int c = 0; c < 3; ++c) colour[c] = background[c] + way * (far[c] - background[c]);
      for (const Bar& bar : bars) {
        const float cover = bar.cover(row, column);
        for (int c = 0; c < 3; ++c) colour[c] += cover * (bar.colour[c] - colour[c]);
      }
      const float cover = figure.cover(row, column);
      // One draw gives the three channels' noise, each the sum of two 10-bit uniforms (variance
      // 1/6 on [0, 2)): near enough to a normal, and cheap.
      std::uint64_t bits = random.bits();
      for (int c = 0; c < 3; ++c) {
        const float sum = static_cast<float>((bits & 1023) + ((bits >> 10) & 1023)) / 1024.0f;
        bits >>= 20;
        const float value =
            gain * (colour[c] + cover * (foreground[c] - colour[c])) + noise * 2.45f * (sum - 1.0f);
        pixels[c * kPlane + row * kSide + column] =
            static_cast<std::uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
      }
    }
  }
}

ImageSet generate_part(std::uint64_t part_seed, int count, const StopToken* stop) {
  ImageSet set{3, kSide, kSide, {}, {}};
  set.pixels.resize(static_cast<std::size_t>(count) * set.image_size());
  set.labels.resize(static_cast<std::size_t>(count));
  std::array<std::uint16_t, kClasses> order{};
  for (int i = 0; i < count; ++i) {
    if (i % kClasses == 0) {
      if (stop) stop->throw_if_stopped();
      Random random(mixed(part_seed ^ mixed(~static_cast<std::uint64_t>(i))));
      std::iota(order.begin(), order.end(), std::uint16_t{0});
      for (std::size_t last = kClasses - 1; last > 0; --last)
        std::swap(order[last], order[random.below(last + 1)]);
    }
    const auto index = static_cast<std::size_t>(i);
    set.labels[index] = order[index % kClasses];
    Random random(mixed(part_seed ^ mixed(index)));
    draw(random, set.labels[index], set.pixels.data() + index * set.image_size());
  }
  return set;
}

}  // namespace

Dataset generate_synthetic(std::uint64_t seed, int train_count, int test_count,
                           const StopToken* stop) {
  Dataset dataset;
  dataset.name = "synthetic";
  dataset.class_names.assign(kClassNames.begin(), kClassNames.end());
  dataset.train = generate_part(mixed(2 * seed), train_count, stop);
  dataset.test = generate_part(mixed(2 * seed + 1), test_count, stop);
  return dataset;
}

}  // namespace convoy
