// Package mj binds libmujoco: models and their data, the physics, and pictures.
//
// Everything but this comment is behind the build tag mujoco, because it needs
// cgo, MuJoCo's headers and its library:
//
//	apt-get install gcc libc6-dev libmujoco-dev libosmesa6
//	go build -tags mujoco ./...
//
// That is MuJoCo 2.2.2 on Debian 12, the version whose numbers and pixels the
// project's tests know. MuJoCo 3 works as well (3.2.7, 3.3.7 and 3.17.0 passed
// this package's tests); compat.h has the differences. Its headers and library
// come with the Python package:
//
//	pip download mujoco==3.2.7 --no-deps && unzip -d mj3 mujoco-3.2.7-*.whl
//	ln -s libmujoco.so.3.2.7 mj3/mujoco/libmujoco.so
//	export CGO_CFLAGS=-I$PWD/mj3/mujoco/include
//	export CGO_LDFLAGS="-L$PWD/mj3/mujoco -Wl,-rpath,$PWD/mj3/mujoco"
//
// # Memory
//
// A [Model], a [Data] and a [Renderer] own memory that the garbage collector does
// not know; each must be closed, in any order and as often as one likes. The
// memory of a model is freed when it and everything made from it is closed. A
// slice returned by a method is a view into that memory, valid until its owner is
// closed; using it later is a use after free, as in C. After Close such methods
// return nil.
//
// # Errors
//
// Left to itself libmujoco prints its errors, waits for a key on the standard
// input and exits. Here every call runs with handlers in place, so that an error
// becomes a Go error with MuJoCo's text and a warning is counted; nothing is
// printed and no log file is written.
//
// # Goroutines
//
// One Data must not be used by two goroutines at once, nor be stepped while it is
// drawn. Several Data of one model may be stepped at the same time as long as
// nobody writes to the model. A Renderer has its own operating system thread and
// may be called from any goroutine.
package mj
