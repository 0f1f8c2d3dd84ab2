# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Completion of `macchiato` in bash. It knows no command and no option: it asks the program that is to be run, whose --help
# is all there is to keep right.
_macchiato() {
	local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} command=${COMP_WORDS[1]-} words
	COMPREPLY=()
	# A value is a file: bash breaks words at "=", and completes files itself when nothing is offered.
	if [[ $word == = || ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		return
	fi
	if ((COMP_CWORD == 1)) || [[ $command == help && $COMP_CWORD == 2 ]]; then
		words=$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
		[[ $command == help && $COMP_CWORD == 2 ]] || words="$words help --help --version"
	elif [[ $word == -* ]]; then
		words=$("$program" "$command" --help 2>/dev/null |
			sed -n 's/^ \{2,6\}\(-[^ -], \)*\(--[a-z][a-z0-9-]*=\{0,1\}\).*/\2/p')
	else
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	if [[ ${COMPREPLY[0]-} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
}
complete -o default -F _macchiato macchiato
