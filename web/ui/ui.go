// Package ui is the design system of the web UI: the frame of a page, and the pieces pages are put together from. It
// knows how things look and read, not where they come from: components take plain values, and only the pages in
// package web ask for data.
//
// A component is a templ function in the file named for it; the style sheet it relies on is web/assets/app.css.
// Everything works without script: menus are details elements, the tabs of an install box are radio buttons, and what
// needs script (copy buttons, uploads) carries the class needs-script and is not there without it.
//
// The package imports web/route and web/static alone.
package ui

//go:generate ../assets/build
