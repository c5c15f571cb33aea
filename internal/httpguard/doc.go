// Package httpguard is the one rule for every HTTP server of this project.
//
// A server listens on the loopback interface unless it is told otherwise, and
// any other address demands a token. It only answers reading: there is no
// request that changes anything. Host names that are not its own are refused, so
// that a web page elsewhere cannot reach it by pointing a name at it, and so are
// requests that other sites' pages make. Connections, requests and the time they
// take are limited. Responses carry headers that forbid a browser to load
// anything from elsewhere, or to run scripts that are not files of the server.
package httpguard
