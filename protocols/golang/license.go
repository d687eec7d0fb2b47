package golang

import "strings"

// isLicenseFile tells whether a file of the module's root has its license.
func isLicenseFile(name string) bool {
	name, _, _ = strings.Cut(strings.ToUpper(name), ".")
	return name == "LICENSE" || name == "LICENCE" || name == "COPYING"
}

// licenses are phrases by which the usual license texts are told apart; the
// first one that has all of them counts.
var licenses = []struct {
	id      string
	phrases []string
}{
	{"Apache-2.0", []string{"apache license", "version 2.0"}},
	{"MPL-2.0", []string{"mozilla public license", "2.0"}},
	{"AGPL-3.0", []string{"gnu affero general public license"}},
	{"LGPL-3.0", []string{"gnu lesser general public license", "version 3"}},
	{"LGPL-2.1", []string{"gnu lesser general public license"}},
	{"GPL-3.0", []string{"gnu general public license", "version 3"}},
	{"GPL-2.0", []string{"gnu general public license", "version 2"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "neither the name"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms"}},
	{"ISC", []string{"permission to use, copy, modify, and/or distribute this software"}},
	{"MIT", []string{"permission is hereby granted, free of charge", "the software is provided \"as is\""}},
	{"Unlicense", []string{"this is free and unencumbered software"}},
}

// detectLicense returns the SPDX identifier of a license's text, or "".
func detectLicense(text string) string {
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
next:
	for _, l := range licenses {
		for _, phrase := range l.phrases {
			if !strings.Contains(text, phrase) {
				continue next
			}
		}
		return l.id
	}
	return ""
}
