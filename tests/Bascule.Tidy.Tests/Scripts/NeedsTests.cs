namespace Bascule.Tidy.Tests.Scripts;

/// <summary>eng/needs.sh: what is missing is installed by root, and named to everybody else.</summary>
public sealed class NeedsTests : IDisposable
{
    // The machine around the script, as functions that stand in for its programs.
    private const string Root = "id() { echo 0; }\n";
    private const string SomeUser = "id() { echo 1000; }\n";
    private const string NothingThere = "is_there() { return 1; }\n";
    private const string NoSdk = "find_sdk() { return 1; }\n";
    private const string NotPackaged = "sdk_is_packaged() { return 1; }\n";
    private const string Apt = "apt-get() { echo \"apt-get $*\" >> asked; }\npolicy=$PWD/policy-rc.d\n";

    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void Tells_a_user_the_one_command_to_run()
    {
        Ran ran = Need(SomeUser + NothingThere + Apt, "test");

        Assert.Equal(69, ran.Exit);
        Assert.Contains("curl is missing: tests ask the proxy", ran.Errors);
        Assert.Contains("sudo apt-get update && sudo apt-get install -y curl tcpdump python3-aiosmtpd nginx dnsmasq-base bind9-dnsutils\n", ran.Errors);
        Assert.False(File.Exists(Path.Combine(_sandbox.Root, "asked")));
    }

    [Fact]
    public void Installs_for_root_and_says_so()
    {
        Ran ran = Need(Root + NothingThere + Apt, "test");

        Assert.Equal(0, ran.Exit);
        Assert.Contains("apt-get install -y curl tcpdump python3-aiosmtpd nginx dnsmasq-base bind9-dnsutils\n", ran.Errors);
        Assert.Contains("install -y -qq --no-install-recommends curl", File.ReadAllText(Path.Combine(_sandbox.Root, "asked")));
        Assert.False(File.Exists(Path.Combine(_sandbox.Root, "policy-rc.d")));
    }

    [Fact]
    public void Shows_what_apt_said_when_it_could_not()
    {
        Ran ran = Need(Root + NothingThere + Apt + "apt-get() { echo 'E: Unable to locate package curl'; return 100; }\n", "test");

        Assert.Equal(69, ran.Exit);
        Assert.Contains("E: Unable to locate package curl", ran.Errors);
    }

    [Fact]
    public void Asks_for_nothing_when_everything_is_there()
    {
        Ran ran = Need(SomeUser + "is_there() { return 0; }\n", "build test bench");

        Assert.Equal(new Ran(0, "", ""), ran);
    }

    [Fact]
    public void What_is_only_wished_for_is_named_and_done_without()
    {
        Ran ran = Bash($"{SomeUser}{NothingThere}{Apt}wish datapath; echo on");

        Assert.Equal(0, ran.Exit);
        Assert.Equal("on\n", ran.Output);
        Assert.Contains("clang is missing: without it, the program is built without the packet datapath", ran.Errors);
        Assert.Contains("to have it: sudo apt-get update && sudo apt-get install -y clang libbpf-dev linux-libc-dev libbpf1\n", ran.Errors);
    }

    [Fact]
    public void What_is_only_wished_for_and_cannot_be_installed_is_done_without()
    {
        Ran ran = Bash($"{Root}{NothingThere}{Apt}apt-get() {{ return 100; }}\nwish datapath; echo on");

        Assert.Equal(0, ran.Exit);
        Assert.Equal("on\n", ran.Output);
        Assert.Contains("going on without: clang libbpf-dev linux-libc-dev libbpf1\n", ran.Errors);
    }

    [Fact]
    public void What_is_only_wished_for_is_installed_for_root()
    {
        Ran ran = Bash($"{Root}{NothingThere}{Apt}wish datapath");

        Assert.Equal(0, ran.Exit);
        Assert.Contains("apt-get install -y clang libbpf-dev linux-libc-dev libbpf1\n", ran.Errors);
    }

    [Fact]
    public void Says_where_the_sdk_is_when_the_distribution_has_none()
    {
        Ran ran = Need(Root + NoSdk + NotPackaged + Apt, "build");

        Assert.Equal(69, ran.Exit);
        Assert.Contains("https://dotnet.microsoft.com/download/dotnet/10.0", ran.Errors);
    }

    [Fact]
    public void Tells_a_user_one_command_where_the_sdk_is_packaged()
    {
        Ran ran = Need(SomeUser + NoSdk + NothingThere + "sdk_is_packaged() { return 0; }\n" + Apt, "test");

        Assert.Equal(69, ran.Exit);
        Assert.Contains("sudo apt-get update && sudo apt-get install -y curl tcpdump python3-aiosmtpd nginx dnsmasq-base bind9-dnsutils dotnet-sdk-10.0\n", ran.Errors);
    }

    [Fact]
    public void Installs_the_sdk_where_the_distribution_packages_it()
    {
        const string arrives = "apt-get() { echo \"$*\" >> asked; }\nfind_sdk() { grep -qs dotnet-sdk-10.0 asked; }\n";

        Ran ran = Need(Root + NoSdk + "sdk_is_packaged() { return 0; }\n" + Apt + arrives, "build");

        Assert.Equal(0, ran.Exit);
        Assert.Contains("apt-get install -y dotnet-sdk-10.0", ran.Errors);
    }

    [Fact]
    public void Finds_an_sdk_that_is_not_on_the_path()
    {
        string elsewhere = _sandbox.Beside("");

        Ran ran = Bash($"command() {{ return 1; }}\nsdk_places=(/nowhere '{elsewhere}')\nfind_sdk && echo \"$DOTNET_ROOT\"");

        Assert.Equal(elsewhere + "\n", ran.Output);
    }

    [Fact]
    public void Finds_the_sdk_of_the_user_who_ran_sudo()
    {
        string theirs = _sandbox.Beside("home of someone/.dotnet");
        Directory.CreateDirectory(Path.Combine(theirs, "sdk", "10.0.100"));
        File.Copy(_sandbox.Beside("dotnet"), Path.Combine(theirs, "dotnet"));
        string account = $"getent() {{ [ \"$*\" = 'passwd someone' ] && echo 'someone:x:1000:1000::{_sandbox.Beside("home of someone")}:/bin/sh'; }}\n";

        Ran ran = _sandbox.RunIn(_sandbox.Root, "/bin/bash", "-c",
            $"set -euo pipefail\nSUDO_USER=someone\n{account}command() {{ return 1; }}\n. eng/needs.sh\nsdk_places=(\"${{sdk_places[@]: -1}}\")\nfind_sdk && echo \"$DOTNET_ROOT\"");

        Assert.Equal(theirs + "\n", ran.Output);
    }

    [Theory]
    [InlineData("command bash", 0)]
    [InlineData("command bash-that-is-not-there", 1)]
    [InlineData("library libc.so.6", 0)]
    [InlineData("library libnot.so.6", 1)]
    [InlineData("file /etc/passwd", 0)]
    [InlineData("file /etc/not-there", 1)]
    public void Sees_commands_libraries_and_files(string what, int expected) =>
        Assert.Equal(expected, Bash($"is_there {what}").Exit);

    private Ran Need(string machine, string groups) => Bash($"{machine}need {groups}");

    private Ran Bash(string script) =>
        _sandbox.RunIn(_sandbox.Root, "/bin/bash", "-c", $"set -euo pipefail\n. eng/needs.sh\n{script}");
}
