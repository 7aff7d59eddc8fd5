package io.urunner.agent.app.cli;

import io.urunner.registry.Pages;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.Repository;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "ls", description = "List the tags of a repository, as the registry orders them.")
final class ImageListCommand extends ImageAction {
    private record Document(String repository, List<String> tags) {}

    @Parameters(paramLabel = "REPOSITORY", description = "A repository, for example registry.example/team/app.")
    private String name = "";

    ImageListCommand(CommandContext context) {
        super(context);
    }

    @Override
    void check() {
        parse(name, Repository::parse);
    }

    @Override
    int run(RegistryClient client) throws RegistryException, InterruptedException {
        Repository repository = Repository.parse(name);
        Pages<String> pages = client.tags(repository);
        if (form().structured()) {
            context.out().print(form().print(new Document(repository.toString(), new ArrayList<>(pages.all()))));
            return ExitCode.OK;
        }
        while (pages.hasNext()) {
            pages.next().forEach(context.out()::println);
        }
        return ExitCode.OK;
    }
}
