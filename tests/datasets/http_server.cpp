#include "tests/datasets/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace convoy::test {

HttpServer::HttpServer() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      ::pipe(wake_) != 0)
    throw std::runtime_error("cannot start the server");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

HttpServer::~HttpServer() {
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(listener_);
}

void HttpServer::set(const std::string& path, File file) {
  const std::lock_guard lock(mutex_);
  files_[path] = std::move(file);
}

std::string HttpServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<HttpServer::Answer> HttpServer::answers() const {
  const std::lock_guard lock(mutex_);
  return answers_;
}

void HttpServer::serve() {
  for (;;) {
    pollfd waits[] = {{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
    ::poll(waits, 2, -1);
    if (waits[1].revents) return;
    const int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0) continue;
    answer(connection);
    ::close(connection);
  }
}

void HttpServer::answer(int connection) {
  std::string request;
  char piece[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = ::recv(connection, piece, sizeof piece, 0);
    if (got <= 0) return;
    request.append(piece, static_cast<std::size_t>(got));
  }
  const std::size_t path_at = request.find(' ') + 1;
  Answer made{request.substr(path_at, request.find(' ', path_at) - path_at), "", 0};
  if (const std::size_t range = request.find("Range: "); range != std::string::npos)
    made.range = request.substr(range + 7, request.find("\r\n", range) - range - 7);

  File file;
  {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(made.path);
    if (found == files_.end()) {
      file = {"not here", 404};
    } else {
      file = found->second;
      found->second.cuts = std::max(0, found->second.cuts - 1);
    }
  }
  std::string body = file.content;
  std::string header = "HTTP/1.1 " + std::to_string(file.status) + " X\r\n";
  if (!file.redirect.empty()) {
    header = "HTTP/1.1 302 Found\r\nLocation: " + file.redirect + "\r\n";
  } else if (file.ranges && file.status == 200 && !made.range.empty()) {
    const std::size_t first = std::stoul(made.range.substr(made.range.find('=') + 1));
    if (first >= body.size()) {
      header = "HTTP/1.1 416 Range Not Satisfiable\r\n";
      body.clear();
    } else {
      header = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(first) +
               "-" + std::to_string(body.size() - 1) + "/" + std::to_string(body.size()) + "\r\n";
      body.erase(0, first);
    }
  }
  header += "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
  if (file.cuts > 0 || file.stalls) body.resize(body.size() / 2);
  made.body_bytes = body.size();
  {
    const std::lock_guard lock(mutex_);
    answers_.push_back(made);
  }
  const std::string bytes = header + body;
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t sent = ::send(connection, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return;
    at += static_cast<std::size_t>(sent);
  }
  if (file.stalls) {  // until the client or the test ends it
    pollfd waits[] = {{connection, POLLIN, 0}, {wake_[0], POLLIN, 0}};
    ::poll(waits, 2, -1);
  }
}

}  // namespace convoy::test
