"""``planton completion``: prints the completion script of a shell."""

from __future__ import annotations

import click

from planton.cli import output

_BASH = r"""_planton_completion() {
    local kind value
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            plain)
                COMPREPLY+=("$value")
                # The name of a resource follows its kind.
                [[ $value == */ ]] && _planton_option -o nospace
                ;;
            file) _planton_option -o default ;;
            dir) _planton_option -o dirnames ;;
        esac
    done < <(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _PLANTON_COMPLETE=bash_complete "$1" 2>/dev/null)
}
_planton_option() {
    # Bash 3.2, as macOS has it, has no compopt.
    type compopt >/dev/null 2>&1 && compopt "$@"
}
complete -o nosort -F _planton_completion planton 2>/dev/null || complete -o default -F _planton_completion planton
"""
_ZSH = r"""#compdef planton
_planton_completion() {
    local kind name text
    local -a answers described open plain
    answers=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) _PLANTON_COMPLETE=zsh_complete ${words[1]} 2>/dev/null)}")
    for kind name text in "${answers[@]}"; do
        case $kind in
            plain)
                if [[ $name == */ ]]; then open+=("$name")
                elif [[ $text == _ ]]; then plain+=("$name")
                else described+=("$name:$text")
                fi
                ;;
            file) _files ;;
            dir) _files -/ ;;
        esac
    done
    # The name of a resource follows its kind, without a space.
    (( $#open )) && compadd -U -S '' -a open
    (( $#plain )) && compadd -U -a plain
    (( $#described )) && _describe -V planton described -U
    return 0
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _planton_completion "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u }
    compdef _planton_completion planton
fi
"""
_FISH = r"""function __planton_completion
    set -l token (commandline -ct)
    for line in (env COMP_WORDS=(commandline -cp) COMP_CWORD="$token" _PLANTON_COMPLETE=fish_complete planton 2>/dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case plain
                echo $parts[2]
            case file
                __fish_complete_path $token
            case dir
                __fish_complete_directories $token
        end
    end
end
complete --command planton --no-files --arguments '(__planton_completion)'
"""
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


@click.command()
@click.argument("shell", type=click.Choice(list(_SCRIPTS)))
def completion(shell: str) -> None:
    r"""Print the completion script of a shell.

    It completes commands, options, files, KIND/NAME of applied resources, contexts, regions, and the sizes and versions of the
    cloud.

    \b
    bash:  echo 'eval "$(planton completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(planton completion zsh)"' >> ~/.zshrc
    fish:  planton completion fish > ~/.config/fish/completions/planton.fish
    """
    output.echo_document(_SCRIPTS[shell])
