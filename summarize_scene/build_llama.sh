#!/bin/sh
# Make the wheel of llama-cpp-python for the image of scene_summarizer, into the folder given.
#
# It runs on any x86-64 machine since 2009 (SSE4.2, as the smallest edge boxes have no AVX), and the part that
# calculates is there twice: the dynamic linker takes the one for AVX2 by itself where the machine has it
# (glibc-hwcaps, see ld.so(8)). On arm64 the baseline is armv8-a; LLAMA_CMAKE_ARGS may name more, as
# -DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod.
#
# usage: build_llama.sh REQUIREMENT_FILE OUTPUT    (environment: LLAMA_CMAKE_ARGS)
set -eu
output=$2
pin=$(cat "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# No vision, no downloads: less to compile, less to ship.
common="-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF -DLLAMA_CURL=OFF ${LLAMA_CMAKE_ARGS:-}"
is_x86=$([ "$(uname -m)" = x86_64 ] && echo yes || echo no)

say() { echo "build_llama: $*" >&2; }

beyond_sse() {
  [ "$is_x86" = no ] || echo "-DGGML_AVX=$1 -DGGML_AVX2=$1 -DGGML_FMA=$1 -DGGML_F16C=$1 -DGGML_BMI2=$1"
}

# A beside-the-work job: a box that builds goes on scanning.
export CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}"
say "compiling $pin"
CMAKE_ARGS="$common -DGGML_SSE42=ON $(beyond_sse OFF)" \
  nice -n 10 pip --disable-pip-version-check wheel --no-cache-dir --no-deps --no-binary :all: --quiet \
  --wheel-dir "$work" "$pin"

if [ "$is_x86" = yes ]; then
  say "compiling what calculates once more, for AVX2"
  pip --disable-pip-version-check download --no-cache-dir --no-deps --no-binary :all: --quiet --dest "$work" "$pin"
  mkdir "$work/source" "$work/wheel"
  tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work/source" --strip-components 1
  # shellcheck disable=SC2046,SC2086  # words
  cmake -S "$work/source/vendor/llama.cpp" -B "$work/v3" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON \
    -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF \
    -DLLAMA_BUILD_SERVER=OFF $common $(beyond_sse ON) >"$work/cmake.log"
  nice -n 10 cmake --build "$work/v3" --target ggml-cpu >>"$work/cmake.log" || { cat "$work/cmake.log" >&2; exit 1; }
  pip --disable-pip-version-check install --quiet wheel
  python -m wheel unpack --dest "$work/wheel" "$work"/llama_cpp_python-*.whl
  place="$(echo "$work"/wheel/*/llama_cpp/lib)/glibc-hwcaps/x86-64-v3"
  mkdir -p "$place"
  cp "$(find "$work/v3" -name 'libggml-cpu.so*' -type f)" "$place/libggml-cpu.so.0"
  strip --strip-unneeded "$place/libggml-cpu.so.0"
  rm "$work"/llama_cpp_python-*.whl
  python -m wheel pack --dest-dir "$work" "$work"/wheel/*
fi
mkdir -p "$output"
cp "$work"/llama_cpp_python-*.whl "$output"
say "made $(cd "$output" && ls)"
