package server

// Version is the release this program is; CHANGELOG.md says what is in it.
const Version = "0.1.0"
