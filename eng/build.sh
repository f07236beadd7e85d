# Builds when the sources changed, and only then. Sourced after needs.sh, with $root set to the repository.

program=$root/artifacts/bin/Bascule/release/bascule
stamp=$root/artifacts/built-from    # what the program was built from: a checksum and a name a line
compiled=$root/artifacts/compiled-from # the same of what was compiled last, be it the program or a part of it
build_log=$root/artifacts/build.log

# Content, not time: a branch switched forth and back needs no build, and a file deleted or restored by rsync needs one.
# Everything that ends up in the program; tests do not. 200 files take about 10 ms.
sources() {
    (
        cd "$root"
        echo "clang $(command -v clang || true)" # with it, the packet datapath is in the program
        shopt -s nullglob
        find src bpf* console* eng/*.txt Directory.* global.json [nN]u[gG]et.[cC]onfig \
            -name node_modules -prune -o -type f ! -name '.*' ! -name '*~' -print0 |
            LC_ALL=C sort -z | xargs -0 sha256sum
    )
}

is_up_to_date() { [ -x "$program" ] && [ -r "$stamp" ] && [ "$(sources)" = "$(< "$stamp")" ]; }

# Two launches at once build once: the second waits, looks again and finds nothing to do.
build_if_changed() {
    ! is_up_to_date || return 0
    need build
    with_build_lock build_unless_up_to_date
}

build_unless_up_to_date() {
    ! is_up_to_date || return 0
    say "building (the next start needs none)"
    build src/Bascule/Bascule.csproj
}

with_build_lock() {
    mkdir -p "$root/artifacts"
    exec 9> "$root/artifacts/.build-lock"
    flock -n 9 || { say "waiting for another build to finish"; flock 9; }
    "$@"
    exec 9>&-
}

# build TARGET…: each a project or the solution, whatever the stamp says.
build() {
    local now target incremental compiler=bascule-$$ # a compiler server of this build alone: a start for each of 30 projects doubles the time
    wish datapath
    now=$(sources)
    incremental=$(incremental_option "$now")
    # A build that fails half way leaves neither the old program nor the new one, and one of something else may take the program along.
    is_up_to_date || rm -f "$stamp"
    rm -f "$compiled"
    for target; do
        # 9>&-: a compiler server that outlives the build must not keep the lock.
        if ! (cd "$root" && "$DOTNET_ROOT/dotnet" build "$target" -c Release -v quiet -nologo "-clp:ErrorsOnly;NoSummary" -nodeReuse:false \
            -p:SharedCompilationId="$compiler" $incremental > "$build_log" 2>&1 < /dev/null 9>&-); then
            end_compiler "$compiler"
            say "the build of $target failed:"
            cat "$build_log" >&2
            exit "$exit_build_failed"
        fi
    done
    end_compiler "$compiler"
    echo "$now" > "$compiled"
    ! makes_program "$@" || echo "$now" > "$stamp"
}

makes_program() {
    local target
    for target; do
        case $target in src/Bascule/Bascule.csproj | Bascule.slnx) return 0 ;; esac
    done
    return 1
}

# Left alone it would end by itself, ten idle minutes and some hundred megabytes later.
end_compiler() {
    local sdk
    sdk=$(cd "$root" && "$DOTNET_ROOT/dotnet" --version)
    "$DOTNET_ROOT/dotnet" exec "$DOTNET_ROOT/sdk/$sdk/Roslyn/bincore/VBCSCompiler.dll" -shutdown -pipename:"$1" > /dev/null 2>&1 9>&- || true
}

# MSBuild goes by time: a source that changed but is older than its output (rsync, cp -p, tar) would be passed over.
incremental_option() {
    local sum file
    [ -r "$compiled" ] || { echo --no-incremental; return; }
    comm -13 <(LC_ALL=C sort "$compiled") <(LC_ALL=C sort <<< "$1") | while read -r sum file; do
        if [ "$root/$file" -ot "$compiled" ]; then echo --no-incremental; break; fi
    done
}
