//! The command line.

const std = @import("std");
const Release = @import("comment.zig").Release;

pub const help =
    \\usage: verifier [--key KEY|FILE] [--release NAME@VERSION] FOLDER
    \\
    \\Checks a release that Pitlane published: FOLDER is a copy of _releases/<version>/. The signature of SHA256SUMS
    \\has to be by the key, and each file has to be the one that SHA256SUMS names. A file too many is an error too.
    \\
    \\  --key KEY|FILE          minisign public key (RW...) or a file with one; default: minisign.pub in this folder.
    \\                          Take it from a place you trust, not from beside the files you check.
    \\  --release NAME@VERSION  the release that must have been signed; without it, what was signed is only told
    \\  --version               print the version of this program
    \\  --help                  print this
    \\
    \\Exit status: 0 everything is right, 1 something is not, 2 the command line or the key cannot be understood.
    \\
;

pub const Options = union(enum) {
    help,
    version,
    check: struct { key: []const u8, release: ?Release, folder: []const u8 },
    wrong: Wrong,

    pub const Wrong = struct { reason: []const u8, argument: []const u8 };
};

/// `arguments` without the program's name.
pub fn parse(arguments: []const [:0]const u8) Options {
    var key: ?[]const u8 = null;
    var release: ?Release = null;
    var folder: ?[]const u8 = null;
    var only_folders = false;
    var index: usize = 0;
    while (index < arguments.len) : (index += 1) {
        const argument: []const u8 = arguments[index];
        if (only_folders or argument.len == 0 or argument[0] != '-') {
            if (folder != null) return wrong("one FOLDER only, not also", argument);
            if (argument.len == 0) return wrong("an empty FOLDER", argument);
            folder = argument;
        } else if (std.mem.eql(u8, argument, "--")) {
            only_folders = true;
        } else if (std.mem.eql(u8, argument, "--help") or std.mem.eql(u8, argument, "-h")) {
            return .help;
        } else if (std.mem.eql(u8, argument, "--version")) {
            return .version;
        } else if (valueOf("--key", arguments, &index)) |value| {
            if (key != null) return wrong("given twice:", "--key");
            key = value orelse return wrong("a KEY or FILE is missing after", argument);
        } else if (valueOf("--release", arguments, &index)) |value| {
            if (release != null) return wrong("given twice:", "--release");
            const text = value orelse return wrong("NAME@VERSION is missing after", argument);
            release = Release.fromText(text) catch return wrong("not NAME@VERSION:", text);
        } else {
            return wrong("unknown option", argument);
        }
    }
    return .{ .check = .{
        .key = key orelse "minisign.pub",
        .release = release,
        .folder = folder orelse return wrong("which FOLDER is to be checked?", ""),
    } };
}

fn wrong(reason: []const u8, argument: []const u8) Options {
    return .{ .wrong = .{ .reason = reason, .argument = argument } };
}

/// Null when the argument at `index` is not this option; the inner null when its value is missing.
fn valueOf(name: []const u8, arguments: []const [:0]const u8, index: *usize) ??[]const u8 {
    const argument = arguments[index.*];
    if (!std.mem.startsWith(u8, argument, name)) return null;
    const rest = argument[name.len..];
    if (rest.len > 0) {
        if (rest[0] != '=') return null;
        return if (rest.len > 1) @as(?[]const u8, rest[1..]) else @as(?[]const u8, null);
    }
    if (index.* + 1 == arguments.len) return @as(?[]const u8, null);
    index.* += 1;
    return @as(?[]const u8, arguments[index.*]);
}

test "a check" {
    const options = parse(&.{ "--key", "k", "--release=a@b", "f" }).check;
    try std.testing.expectEqualStrings("k", options.key);
    try std.testing.expectEqualStrings("b", options.release.?.version);
    try std.testing.expectEqualStrings("f", options.folder);
    try std.testing.expectEqualStrings("minisign.pub", parse(&.{"f"}).check.key);
    try std.testing.expectEqualStrings("-f", parse(&.{ "--", "-f" }).check.folder);
    try std.testing.expectEqualStrings("k", parse(&.{ "f", "--key=k" }).check.key);
}

test "help and version" {
    try std.testing.expectEqual(.help, std.meta.activeTag(parse(&.{ "f", "--help" })));
    try std.testing.expectEqual(.version, std.meta.activeTag(parse(&.{"--version"})));
}

test "what is not understood" {
    const cases = [_][]const [:0]const u8{
        &.{},                            &.{ "a", "b" },         &.{"--key"}, &.{ "--key=", "f" }, &.{ "--keys=a", "f" },
        &.{ "-k", "f" },                 &.{ "--release", "f" }, &.{""},      &.{"--"},            &.{ "--release=x", "f" },
        &.{ "f", "--key=a", "--key=b" },
    };
    for (cases) |arguments| try std.testing.expectEqual(.wrong, std.meta.activeTag(parse(arguments)));
}
