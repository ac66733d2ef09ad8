#include "fd_watcher.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <system_error>
#include <utility>

namespace tunnelscope {

FdWatcher::FdWatcher(int fd, bool repeat, std::function<void()> on_readable)
    : fd_(fd), repeat_(repeat), on_readable_(std::move(on_readable)), armed_(repeat) {
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) return;
  // Signals belong to the threads that expect them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error&) {
    // No thread left in this process: IsRunning() tells.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

FdWatcher::~FdWatcher() {
  Stop();
  if (wake_fd_ >= 0) close(wake_fd_);
}

void FdWatcher::Arm() {
  armed_ = true;
  Wake();
}

void FdWatcher::Kick() {
  kicked_ = true;
  Wake();
}

void FdWatcher::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  Wake();
  thread_.join();
}

void FdWatcher::Wake() {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then the thread is awake anyway.
  if (write(wake_fd_, &one, sizeof one) < 0) return;
}

void FdWatcher::Run() {
  while (!stopping_) {
    // A negative descriptor is left out by poll().
    pollfd fds[2] = {{wake_fd_, POLLIN, 0}, {armed_ ? fd_ : -1, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if (fds[0].revents != 0) {
      uint64_t count;
      if (read(wake_fd_, &count, sizeof count) < 0 && errno != EAGAIN) return;
    }
    if (stopping_) return;
    if (!kicked_.exchange(false) && fds[1].revents == 0) continue;
    if (!repeat_) armed_ = false;
    on_readable_();
  }
}

}  // namespace tunnelscope
