// A web server on this machine that can misbehave.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace convoy::test {

class HttpServer {
 public:
  struct File {
    std::string content;
    int status = 200;
    bool ranges = true;         // honours "Range: bytes=N-"
    int cuts = 0;               // so many answers end half-way through what they should send
    bool stalls = false;        // sends half, then nothing, and keeps the connection
    std::string redirect = {};  // answers 302 to this path
  };

  HttpServer();
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void set(const std::string& path, File file);
  std::string url(const std::string& path) const;

  struct Answer {
    std::string path, range;
    std::size_t body_bytes = 0;  // given to the connection
  };
  std::vector<Answer> answers() const;

 private:
  void serve();
  void answer(int connection);

  int listener_ = -1;
  int port_ = 0;
  int wake_[2] = {-1, -1};  // a pipe; closed to end the server
  mutable std::mutex mutex_;
  std::map<std::string, File> files_;
  std::vector<Answer> answers_;
  std::thread thread_;
};

}  // namespace convoy::test
