using System.Diagnostics;

namespace Bascule.Tidy.Tests.Scripts;

/// <summary>
/// A copy of our scripts in a folder of their own, with a .NET SDK that only pretends: a build takes milliseconds, is
/// written down in <see cref="Builds"/>, and makes a program that says where it ran and with what.
/// </summary>
internal sealed class Sandbox : IDisposable
{
    private const string PretendedSdk = """
        #!/bin/bash
        case $1 in
            build)
                echo "$*" >> "$PRETENDED/builds"
                [ ! -p "$PRETENDED/gate" ] || read -r _ < "$PRETENDED/gate"
                [ ! -e "$PRETENDED/broken" ] || { echo "Program.cs(1,1): error CS1002: ; expected"; exit 1; }
                mkdir -p artifacts/bin/Bascule/release
                printf '#!/bin/bash\necho "in $PWD: $*"\n' > artifacts/bin/Bascule/release/bascule
                chmod +x artifacts/bin/Bascule/release/bascule ;;
            test)
                suite=$(basename "$2" .dll)
                [ ! -e "tests/$suite/report" ] || cp "tests/$suite/report" "${4#*LogFileName=}"
                echo "what $suite printed"
                [ ! -e "tests/$suite/kills" ] || kill -KILL "$(ps -o ppid= -p "$PPID")" # of `timeout`, which started us
                exit "$(cat "tests/$suite/exit")" ;;
        esac
        """;

    private readonly string _home = Directory.CreateTempSubdirectory("bascule-tidy-").FullName;

    public Sandbox()
    {
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Path.Combine(_home, "sdk", "10.0.100"));
        Executable(Path.Combine(_home, "dotnet"), PretendedSdk);
        foreach (string script in (string[])["bascule", "test", "eng/needs.sh", "eng/build.sh"])
            Executable(Path.Combine(Root, script), Repository.Read(script));
        Write("src/Bascule/Program.cs", "return 0;");
        Write("src/Bascule.Core/Model.cs", "class Model;");
        Write("Directory.Build.props", "<Project />");
        Write("global.json", "{}");
        Write("Bascule.slnx", "<Solution />");
    }

    /// <summary>The copy of the repository; there is a space in its path.</summary>
    public string Root => Path.Combine(_home, "a clone");

    /// <summary>What the SDK was asked to build, in order.</summary>
    public string[] Builds => File.Exists(Path.Combine(_home, "builds")) ? File.ReadAllLines(Path.Combine(_home, "builds")) : [];

    /// <summary>A path beside the clone.</summary>
    public string Beside(string name) => Path.Combine(_home, name);

    public void Write(string path, string text)
    {
        string file = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    public void Delete(string path) => File.Delete(Path.Combine(Root, path));

    /// <summary>Builds fail from now on.</summary>
    public void BreakTheBuild() => File.WriteAllText(Beside("broken"), "");

    public void MendTheBuild() => File.Delete(Beside("broken"));

    /// <summary>Adds a test project whose run ends with an exit code and, unless it crashed, these counters.</summary>
    public void Suite(string name, int exit, string? counters)
    {
        Write($"tests/{name}/{name}.csproj", "<Project />");
        Write($"tests/{name}/exit", $"{exit}");
        if (counters is not null)
            Write($"tests/{name}/report", $"<TestRun>\n  <Counters {counters} />\n</TestRun>");
        Write("Bascule.slnx", File.ReadAllText(Path.Combine(Root, "Bascule.slnx")) + $"<Project Path=\"tests/{name}/{name}.csproj\" />\n");
    }

    /// <summary>The suite's run kills the shell that runs the suites.</summary>
    public void KillWhoRuns(string suite) => Write($"tests/{suite}/kills", "");

    public Ran Run(string script, params string[] arguments) => RunIn(_home, Path.Combine(Root, script), arguments);

    public Ran RunIn(string folder, string file, params string[] arguments)
    {
        using Process process = Start(folder, file, arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Ran(process.ExitCode, output, errors.Result);
    }

    public Process Start(string folder, string file, params string[] arguments)
    {
        ProcessStartInfo start = new(file, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["PATH"] = $"{_home}:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["PRETENDED"] = _home;
        foreach (string name in (string[])["DOTNET_ROOT", "FAILED_BEFORE", "CI"])
            start.Environment.Remove(name);
        return Process.Start(start)!;
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private static void Executable(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}

/// <summary>How a script ended and what it said.</summary>
internal sealed record Ran(int Exit, string Output, string Errors);
