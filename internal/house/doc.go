// Package house holds no code of its own: its tests keep the house in order. They read the source of the whole module
// and fail when an import goes against the design's direction, when a driver is used outside its one place, when a
// package does not say what it is for, and when a file is too long, skips a test or names what it should not.
package house
