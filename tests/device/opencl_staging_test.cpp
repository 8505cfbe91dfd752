// Transfers beside the computing: what waits for what. A command queue that a user event holds up
// plays a device that computes.
#include "engine/device/opencl_staging.h"

#include <QTest>
#include <algorithm>
#include <numeric>

#include "engine/device/opencl_events.h"
#include "engine/device/opencl_running_pass.h"
#include "tests/conv/random_convolution.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_layer.h"

using namespace convoy;

namespace {

constexpr std::size_t kSlotBytes = 64;  // 16 floats
constexpr int kSize = 40;               // floats, in three slots of the four

std::vector<float> numbers(float first, int count = kSize) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), first);
  return values;
}

HostPart row_of(int floats) {
  const auto columns = static_cast<std::size_t>(floats);
  return {0, 1, 0, columns, columns, true};
}

}  // namespace

class OpenClStagingTest : public QObject {
  Q_OBJECT

 private slots:
  void pinned_memory_is_as_large_as_it_says() {
    const auto context = shared_opencl_context(first_opencl_device());
    constexpr std::size_t kSlot = 4096;
    opencl_layer::inject({CL_SUCCESS, 0, false, "clCreateBuffer"});
    const OpenClStaging staging(*context, kSlot);
    const int buffers = opencl_layer::end_injection().calls;
    QCOMPARE(static_cast<std::size_t>(buffers) * kSlot, OpenClStaging::pinned_bytes(kSlot));
  }

  void initTestCase() {
    context_ = std::make_unique<OpenClContext>(first_opencl_device());
    computing_ = context_->make_queue();
    watching_ = context_->make_queue();
  }
  void cleanup() { go_on(); }
  void cleanupTestCase() {
    computing_.reset();
    watching_.reset();
    context_.reset();
  }

  void any_part_goes_there_and_back() {
    constexpr std::uint64_t kSeed = 812;
    qInfo("seed %llu", static_cast<unsigned long long>(kSeed));
    Random random(kSeed);
    const auto below = [&](std::size_t end) {
      return static_cast<std::size_t>(random.below(static_cast<std::uint64_t>(end)));
    };
    for (int round = 0; round < 60; ++round) {
      OpenClRunningPass running(*context_, computing_.get(), 4 + below(300), nullptr);
      HostPart part;
      part.width = 1 + below(50);
      part.first_column = below(part.width);
      part.columns = round % 3 == 0 ? part.width : 1 + below(part.width - part.first_column);
      if (part.columns == part.width) part.first_column = 0;
      part.first_row = below(5);
      part.rows = 1 + below(30);
      part.device_offset = below(4) * part.columns;
      const std::size_t rows = part.first_row + part.rows + below(3);
      std::vector<float> matrix(rows * part.width);
      std::iota(matrix.begin(), matrix.end(), 1.0f);
      const std::size_t floats = part.device_offset + part.rows * part.columns;
      const ClBuffer buffer = context_->make_buffer(floats * sizeof(float));
      running.upload(buffer.get(), matrix.data(), part);
      std::vector<float> back(matrix.size(), -1.0f);
      running.download(buffer.get(), back.data(), part);
      running.finish();
      for (std::size_t i = 0; i < matrix.size(); ++i) {
        const std::size_t row = i / part.width, column = i % part.width;
        const bool inside = row >= part.first_row && row < part.first_row + part.rows &&
                            column >= part.first_column &&
                            column < part.first_column + part.columns;
        QCOMPARE(back[i], inside ? matrix[i] : -1.0f);
      }
    }
  }

  // While the device computes, what it is to compute on next arrives.
  void an_upload_does_not_wait_for_the_computing() {
    OpenClRunningPass running(*context_, computing_.get(), kSlotBytes, nullptr);
    const ClBuffer buffer = filled(0.0f);
    hold_up();
    const std::vector<float> values = numbers(1.0f);
    running.upload(buffer.get(), values.data(), row_of(kSize));
    QVERIFY(arrives(buffer.get(), values));
    go_on();
    running.finish();
  }

  // ... and what it has computed before leaves.
  void a_download_waits_for_nothing_that_is_queued_later() {
    OpenClRunningPass running(*context_, computing_.get(), kSlotBytes, nullptr);
    const ClBuffer buffer = filled(7.0f);
    constexpr int kMany = kSize;
    std::vector<float> back(kMany, 0.0f);
    running.download(buffer.get(), back.data(), row_of(kMany));
    hold_up();
    running.finish_downloads(buffer.get());
    QCOMPARE(back, std::vector<float>(kMany, 7.0f));
    go_on();
    running.finish();
  }

  void an_upload_waits_for_who_still_reads_the_buffer() {
    OpenClRunningPass running(*context_, computing_.get(), kSlotBytes, nullptr);
    const ClBuffer buffer = filled(7.0f), read = filled(0.0f);
    hold_up();
    copy(buffer.get(), read.get());
    running.set_unused(buffer.get());
    const std::vector<float> values = numbers(1.0f);
    running.upload(buffer.get(), values.data(), row_of(kSize));
    QCOMPARE(content(buffer.get()), std::vector<float>(kSize, 7.0f));
    go_on();
    running.finish();
    QCOMPARE(content(read.get()), std::vector<float>(kSize, 7.0f));
    QCOMPARE(content(buffer.get()), values);
  }

  // Also where the host's memory is used for something else at once.
  void who_reads_the_buffer_waits_for_the_upload() {
    const ClBuffer buffer = filled(7.0f), read = filled(0.0f);
    const ClEvent held = user_event();
    OpenClStaging staging(*context_, kSlotBytes);
    std::vector<float> values = numbers(1.0f);
    staging.upload(buffer.get(), values.data(), row_of(kSize), held.get(), computing_.get());
    std::ranges::fill(values, -1.0f);
    copy(buffer.get(), read.get());
    const ClEvent copied = make_marker(computing_.get(), context_->id());
    QVERIFY(!is_over(copied.get(), context_->id()));
    complete(held.get());
    sleep_until_over(copied.get(), context_->id());
    QCOMPARE(content(read.get()), numbers(1.0f));
    staging.finish();
  }

  void a_download_waits_for_what_is_computed_before() {
    OpenClRunningPass running(*context_, computing_.get(), kSlotBytes, nullptr);
    const ClBuffer buffer = filled(0.0f), made = filled(7.0f);
    hold_up();
    copy(made.get(), buffer.get());
    std::vector<float> back(kSize, -1.0f);
    running.download(buffer.get(), back.data(), row_of(kSize));
    QCOMPARE(back, std::vector<float>(kSize, -1.0f));
    go_on();
    running.finish();
    QCOMPARE(back, std::vector<float>(kSize, 7.0f));
  }

  // A pass that ends in the middle leaves nothing that could still touch anybody's memory.
  void giving_up_waits_for_what_is_under_way() {
    const ClBuffer buffer = filled(7.0f);
    const std::vector<float> values = numbers(1.0f);
    std::vector<float> back(1000, -1.0f);
    {
      const ClBuffer large = context_->make_buffer(back.size() * sizeof(float));
      OpenClRunningPass running(*context_, computing_.get(), kSlotBytes, nullptr);
      running.upload(buffer.get(), values.data(), row_of(kSize));
      running.download(large.get(), back.data(), row_of(static_cast<int>(back.size())));
    }
    QCOMPARE(content(buffer.get()), values);
    // The next pass finds staging that works.
    OpenClRunningPass running(*context_, computing_.get(), kSlotBytes, nullptr);
    running.download(buffer.get(), back.data(), row_of(kSize));
    running.finish();
    QVERIFY(std::equal(back.begin(), back.begin() + kSize, values.begin()));
  }

  void pinned_memory_is_used_again() {
    auto lent = context_->lend_staging(kSlotBytes);
    const OpenClStaging* const first = lent.get();
    context_->take_back(std::move(lent));
    QCOMPARE(context_->lend_staging(kSlotBytes).get(), first);
  }

 private:
  ClBuffer filled(float value) const {
    ClBuffer buffer = context_->make_buffer(kSize * sizeof(float));
    const std::vector<float> values(kSize, value);
    cl_check(clEnqueueWriteBuffer(watching_.get(), buffer.get(), CL_TRUE, 0, kSize * sizeof(float),
                                  values.data(), 0, nullptr, nullptr),
             "clEnqueueWriteBuffer", "test");
    return buffer;
  }
  std::vector<float> content(cl_mem buffer) const {
    std::vector<float> values(kSize);
    cl_check(clEnqueueReadBuffer(watching_.get(), buffer, CL_TRUE, 0, kSize * sizeof(float),
                                 values.data(), 0, nullptr, nullptr),
             "clEnqueueReadBuffer", "test");
    return values;
  }
  // Whether it is there soon; the test program's time limit is the only clock.
  bool arrives(cl_mem buffer, const std::vector<float>& values) const {
    while (content(buffer) != values) QTest::qSleep(1);
    return true;
  }
  void copy(cl_mem from, cl_mem to) const {
    cl_check(clEnqueueCopyBuffer(computing_.get(), from, to, 0, 0, kSize * sizeof(float), 0,
                                 nullptr, nullptr),
             "clEnqueueCopyBuffer", "test");
  }

  ClEvent user_event() const {
    cl_int code = CL_SUCCESS;
    ClEvent event(clCreateUserEvent(context_->get(), &code));
    cl_check(code, "clCreateUserEvent", "test");
    return event;
  }
  static void complete(cl_event event) {
    cl_check(clSetUserEventStatus(event, CL_COMPLETE), "clSetUserEventStatus", "test");
  }
  // What is queued for computing from now on does not begin.
  void hold_up() {
    held_up_ = user_event();
    begin_after(computing_.get(), held_up_.get(), "test");
  }
  void go_on() {
    if (held_up_) complete(held_up_.get());
    held_up_.reset();
  }

  std::unique_ptr<OpenClContext> context_;
  ClQueue computing_, watching_;
  ClEvent held_up_;
};

QTEST_GUILESS_MAIN(OpenClStagingTest)
#include "opencl_staging_test.moc"
