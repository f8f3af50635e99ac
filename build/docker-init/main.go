// docker-init is process 1 of a container that was started with `docker run --init`: it runs the container's program,
// hands signals on to it, reaps orphans, and ends as the program ends. dockerd calls it as `docker-init -- PROGRAM ARGS`.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"unsafe"
)

// Set at link time.
var version = "unknown"

func main() {
	args := os.Args[1:]
	if len(args) == 1 && args[0] == "--version" {
		fmt.Println("docker-init version", version)
		return
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "docker-init: no program is named")
		os.Exit(1)
	}
	os.Exit(run(args))
}

func run(args []string) int {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return failed(err)
	}
	// Before the program runs, so that no signal is lost.
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)

	program, err := os.StartProcess(path, args, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		// A process group of its own, with the terminal where there is one: Ctrl-C is for the program.
		Sys: &syscall.SysProcAttr{Setpgid: true, Foreground: isTerminal(os.Stdin)},
	})
	if err != nil {
		return failed(err)
	}
	for received := range signals {
		switch received {
		case syscall.SIGCHLD:
			if status, ended := reap(program.Pid); ended {
				return status
			}
		case syscall.SIGURG, syscall.SIGTTIN, syscall.SIGTTOU:
			// The Go runtime's own, and those of a background process.
		default:
			_ = program.Signal(received)
		}
	}
	return 1
}

// reap takes every child that has ended; it says how the program did, if that is one of them.
func reap(program int) (status int, ended bool) {
	for {
		var wait syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &wait, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return status, ended
		}
		if pid != program {
			continue
		}
		ended = true
		status = wait.ExitStatus()
		if wait.Signaled() {
			status = 128 + int(wait.Signal())
		}
	}
}

// failed tells why the program cannot be run, with the shells' exit codes for it.
func failed(err error) int {
	fmt.Fprintln(os.Stderr, "docker-init:", err)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return 127
	}
	return 126
}

func isTerminal(file *os.File) bool {
	var settings syscall.Termios
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), syscall.TCGETS, uintptr(unsafe.Pointer(&settings)))
	return errno == 0
}
